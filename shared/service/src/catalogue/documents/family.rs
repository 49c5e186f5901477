//! A family as published, and its students as stored.
//!
//! Invariant: nothing here says what a family owes; that is the ledger's.

use classpay_domain::id::{CompanyId, FamilyId, StudentId};
use jiff::civil::{Date, DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{self, AsText, words_are_text};
use super::yes;

/// A family: who owes and pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, rename = "Family")]
pub struct FamilyDoc {
    /// Its id.
    #[serde(with = "text")]
    #[schemars(with = "AsText<FamilyId>")]
    pub id: FamilyId,
    /// Whose customer it is. The file may leave it out.
    #[serde(with = "text")]
    #[schemars(with = "AsText<CompanyId>")]
    pub company_id: CompanyId,
    /// Its name.
    pub name: String,
    /// When it accepted.
    #[serde(default, with = "text::option")]
    #[schemars(with = "Option<AsText<Date>>")]
    pub joined_at: Option<Date>,
    /// Whether it can sign in.
    #[serde(default, with = "text")]
    #[schemars(with = "AsText<InvitationStatus>")]
    pub invitation_status: InvitationStatus,
    /// Whether instalments are collected without being asked for.
    #[serde(default)]
    pub autopay_enabled: bool,
    /// The address of its picture.
    #[serde(default)]
    pub profile_picture: Option<String>,
    /// When it was removed (UTC).
    #[serde(default, with = "text::option")]
    #[schemars(with = "Option<AsText<DateTime>>")]
    pub deleted_at: Option<DateTime>,
    /// When it left (UTC).
    #[serde(default, with = "text::option")]
    #[schemars(with = "Option<AsText<DateTime>>")]
    pub archived_at: Option<DateTime>,
    /// When it was made (UTC).
    #[serde(with = "text")]
    #[schemars(with = "AsText<DateTime>")]
    pub created_at: DateTime,
}

/// Whether a family can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InvitationStatus {
    /// Nobody asked it.
    #[default]
    NotInvited,
    /// It was asked.
    Invited,
    /// It can.
    Accepted,
}

words_are_text! {
    InvitationStatus { NotInvited = "not_invited", Invited = "invited", Accepted = "accepted" }
}

/// A student of a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StudentDoc {
    /// Its id.
    #[serde(with = "text")]
    pub id: StudentId,
    /// The first name.
    pub firstname: String,
    /// The last name.
    pub lastname: String,
    /// Null: the age is not checked.
    #[serde(default, with = "text::option")]
    pub date_of_birth: Option<Date>,
    /// Whether discount schemes count it.
    #[serde(default = "yes")]
    pub discountable: bool,
    /// When it left (UTC).
    #[serde(default, with = "text::option")]
    pub archived_at: Option<DateTime>,
}

impl StudentDoc {
    /// Both names.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.firstname, self.lastname).trim().to_owned()
    }
}
