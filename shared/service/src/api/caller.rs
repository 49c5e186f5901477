//! The authenticated caller, and the family that the call is about.
//!
//! Invariant: company and family come from the claims that API Gateway's JWT authorizer has checked, never from a body,
//! a query or a header. The path names a family; the claims decide about access to it.

use std::collections::HashMap;

use classpay_domain::id::{CompanyId, FamilyId};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

use crate::error::{Error, ErrorCode};
use crate::scope::{Access, FamilyScope, Role};

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    company: CompanyId,
    who: Who,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Family(FamilyId),
    Staff,
}

impl Caller {
    /// Reads the caller from the claims that API Gateway passes on.
    ///
    /// # Errors
    /// `unauthenticated` without claims, `forbidden` for claims that name no role, company or family.
    pub fn of(request: &Request) -> Result<Self, Error> {
        let claims = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref()).map(|jwt| &jwt.claims)
            }
            _ => None,
        };
        Self::from_claims(claims.ok_or(ErrorCode::Unauthenticated)?)
    }

    /// Reads the caller of an operation that is for staff.
    ///
    /// # Errors
    /// Those of [`Caller::of`], and `forbidden` for a family.
    pub fn staff_of(request: &Request) -> Result<Self, Error> {
        let caller = Self::of(request)?;
        match caller.who {
            Who::Staff => Ok(caller),
            Who::Family(_) => Err(ErrorCode::Forbidden.into()),
        }
    }

    /// Reads the caller from checked claims.
    ///
    /// # Errors
    /// `forbidden` for an unknown role, and for a missing or invalid id of a company or family.
    pub fn from_claims(claims: &HashMap<String, String>) -> Result<Self, Error> {
        let claim = |name: &str| claims.get(name).map(String::as_str).ok_or(ErrorCode::Forbidden);
        let company = CompanyId::parse(claim("company_id")?).map_err(|_| ErrorCode::Forbidden)?;
        let who = match claim("role")?.parse()? {
            Role::Staff => Who::Staff,
            Role::Family => Who::Family(FamilyId::parse(claim("family_id")?).map_err(|_| ErrorCode::Forbidden)?),
        };
        Ok(Self { company, who })
    }

    /// The caller's company.
    #[must_use]
    pub fn company(&self) -> &CompanyId {
        &self.company
    }

    /// What the caller may do.
    #[must_use]
    pub fn role(&self) -> Role {
        match self.who {
            Who::Family(_) => Role::Family,
            Who::Staff => Role::Staff,
        }
    }

    /// The family in the path, with this caller's access to it.
    ///
    /// # Errors
    /// `not_found` for text that can't be an id.
    pub fn scope(&self, path_family: &str) -> Result<FamilyScope, Error> {
        let family = FamilyId::parse(path_family).map_err(|_| ErrorCode::NotFound)?;
        let access = match &self.who {
            Who::Staff => Access::Granted,
            Who::Family(own) if *own == family => Access::Granted,
            Who::Family(_) => Access::Hidden,
        };
        Ok(FamilyScope { company: self.company.clone(), family, role: self.role(), access })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(claims: &[(&str, &str)]) -> Result<Caller, Error> {
        Caller::from_claims(&claims.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    const FAMILY: &[(&str, &str)] = &[("company_id", "co_1"), ("role", "family"), ("family_id", "fml_1")];
    const STAFF: &[(&str, &str)] = &[("company_id", "co_1"), ("role", "staff")];

    #[test]
    fn a_request_that_no_authorizer_has_seen_is_unauthenticated() {
        assert_eq!(Caller::of(&Request::default()).unwrap_err().code, ErrorCode::Unauthenticated);
    }

    #[test]
    fn a_token_without_company_role_or_family_opens_nothing() {
        let bad: &[&[(&str, &str)]] = &[
            &[],
            &[("role", "staff")],
            &[("company_id", "co_1")],
            &[("company_id", "co#1"), ("role", "staff")],
            &[("company_id", "co_1"), ("role", "admin")],
            &[("company_id", "co_1"), ("role", "family")],
            &[("company_id", "co_1"), ("role", "family"), ("family_id", "")],
        ];
        for claims in bad {
            assert_eq!(caller(claims).unwrap_err().code, ErrorCode::Forbidden, "{claims:?}");
        }
    }

    #[test]
    fn a_family_reaches_itself_and_finds_nothing_elsewhere() {
        let family = caller(FAMILY).unwrap();
        assert_eq!(family.scope("fml_1").unwrap().access, Access::Granted);
        assert_eq!(family.scope("fml_2").unwrap().access, Access::Hidden);
        assert_eq!(family.scope("fml/2").unwrap_err(), Error::not_found());
    }

    #[test]
    fn staff_reach_every_family_within_their_own_company() {
        let scope = caller(STAFF).unwrap().scope("fml_2").unwrap();
        assert_eq!((scope.company.as_str(), scope.role, scope.access), ("co_1", Role::Staff, Access::Granted));
    }
}
