//! Students.
//!
//! Every valid student document converts to a student.

use classpay_domain::catalogue::Student;

use super::super::documents::StudentDoc;

impl From<&StudentDoc> for Student {
    fn from(doc: &StudentDoc) -> Self {
        Self {
            id: doc.id.clone(),
            name: doc.full_name(),
            discountable: doc.discountable,
            born_on: doc.date_of_birth,
            archived: doc.archived_at.is_some(),
        }
    }
}
