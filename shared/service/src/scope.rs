//! The family that a call is about, and the caller's access to it.

use classpay_domain::id::{CompanyId, FamilyId};
use classpay_domain::pricing::Buyer;

use crate::error::ErrorCode;

/// What the caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A parent: their own family only.
    Family,
    /// Staff of the business: every family of their company.
    Staff,
}

impl Role {
    /// Its name in a claim and in the table.
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

/// Whether a caller may see the family in the path.
///
/// A hidden family is not refused at once: the store does the same reads and finds nothing, so that neither the answer
/// nor its timing reveals whether the family exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The caller may see it.
    Granted,
    /// The caller may not see it: answer as if it did not exist.
    Hidden,
}

/// The family that a request is about, with the caller's access to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyScope {
    /// The caller's company: every read and write stays inside it.
    pub company: CompanyId,
    /// The family in the path.
    pub family: FamilyId,
    /// What the caller may do.
    pub role: Role,
    /// Whether the caller may see that family.
    pub access: Access,
}

impl FamilyScope {
    /// The buyer, by the caller's role.
    #[must_use]
    pub const fn buyer(&self) -> Buyer {
        match self.role {
            Role::Family => Buyer::Family,
            Role::Staff => Buyer::Staff,
        }
    }
}
