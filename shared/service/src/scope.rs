//! Which family a call is about, and what its caller may do there.

use classpay_domain::id::{CompanyId, FamilyId};
use classpay_domain::pricing::Buyer;

use crate::error::ErrorCode;

/// What the caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A parent: their own family only.
    Family,
    /// Somebody of the business: every family of their company.
    Staff,
}

impl Role {
    /// The word for it in a claim and in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Staff => "staff",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = ErrorCode;

    fn from_str(text: &str) -> Result<Self, ErrorCode> {
        [Self::Family, Self::Staff].into_iter().find(|role| role.as_str() == text).ok_or(ErrorCode::Forbidden)
    }
}

/// Whether a caller may see the family that a path names.
///
/// A family beyond reach is not refused at once: the store does the same reads for it and finds nothing, so that
/// neither the answer nor the time it takes tells whether the family exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Theirs to see.
    Granted,
    /// Another's: answer as if it did not exist.
    Hidden,
}

/// The family a request is about, as this caller may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyScope {
    /// The caller's company: every read and write stays inside it.
    pub company: CompanyId,
    /// The family that the path names.
    pub family: FamilyId,
    /// What the caller may do.
    pub role: Role,
    /// Whether the caller may see that family.
    pub access: Access,
}

impl FamilyScope {
    /// Who buys, by the caller's role.
    #[must_use]
    pub const fn buyer(&self) -> Buyer {
        match self.role {
            Role::Family => Buyer::Family,
            Role::Staff => Buyer::Staff,
        }
    }
}
