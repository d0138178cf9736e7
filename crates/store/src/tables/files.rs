//! The table of files, whose content is stored elsewhere.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use registrar_core::aggregate::NewFile;

use super::owner_ref::OwnerRef;
use crate::sql::rows;

rows! {
    /// The metadata of a file.
    StoredFile / FileRow<'a> in files where (id, user_id) {
        insert {
            user_id: i64 as BigInt,
            owner_kind: &'a str as Text,
            owner_id: i64 as BigInt,
            position: i32 as Integer,
        }
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// The property of the owner's type that the file is the value of.
            name: &'a str => String as Text,
            /// Whether it is an image.
            is_image: bool => bool as Bool,
        }
        update {
            /// URL of the content.
            direct_url: Option<&'a str> => Option<String> as Nullable<Text>,
            /// File name.
            file_name: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Media type.
            content_type: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Caption.
            caption: Option<&'a str> => Option<String> as Nullable<Text>,
        }
        nested {}
    }
}

impl<'a> FileRow<'a> {
    pub(crate) fn new(id: i64, owner: OwnerRef, position: i32, file: &'a NewFile) -> Self {
        Self {
            id,
            user_id: owner.user_id,
            owner_kind: owner.kind,
            owner_id: owner.id,
            position,
            name: &file.name,
            is_image: file.is_image,
            direct_url: file.direct_url.as_deref(),
            file_name: file.file_name.as_deref(),
            content_type: file.content_type.as_deref(),
            caption: file.caption.as_deref(),
        }
    }
}
