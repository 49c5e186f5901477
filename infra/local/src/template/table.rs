//! The table of the template, as CreateTable takes it.
//!
//! Keys and indexes all come from the template, so a test on this table is a test on the cloud's table.

use super::TemplateError;
use super::node::Node;

/// An attribute that is part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub hash: String,
    pub range: Option<String>,
}

/// A global secondary index that projects its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    pub key: Key,
}

/// A table that is paid per request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub attributes: Vec<Attribute>,
    pub key: Key,
    pub indexes: Vec<Index>,
    /// The attribute that holds an item's expiry, in seconds since 1970.
    pub ttl_attribute: Option<String>,
}

pub(super) fn read(properties: &Node<'_>) -> Result<Table, TemplateError> {
    let billing = properties.required("BillingMode")?;
    if billing.text()? != "PAY_PER_REQUEST" {
        return Err(billing.error("only PAY_PER_REQUEST is understood here"));
    }
    if let Some(local) = properties.child("LocalSecondaryIndexes")? {
        return Err(local.error("local secondary indexes are not understood here"));
    }
    let mut attributes = Vec::new();
    for attribute in properties.required("AttributeDefinitions")?.items()? {
        attributes.push(Attribute {
            name: attribute.required("AttributeName")?.text()?.to_owned(),
            kind: attribute.required("AttributeType")?.text()?.to_owned(),
        });
    }
    let mut indexes = Vec::new();
    if let Some(listed) = properties.child("GlobalSecondaryIndexes")? {
        for index in listed.items()? {
            indexes.push(read_index(&index)?);
        }
    }
    Ok(Table {
        attributes,
        key: read_key(&properties.required("KeySchema")?)?,
        indexes,
        ttl_attribute: read_ttl(properties)?,
    })
}

fn read_index(index: &Node<'_>) -> Result<Index, TemplateError> {
    let projection = index.required("Projection")?.required("ProjectionType")?;
    if projection.text()? != "KEYS_ONLY" {
        return Err(projection.error("only the projection KEYS_ONLY is understood here"));
    }
    Ok(Index { name: index.required("IndexName")?.text()?.to_owned(), key: read_key(&index.required("KeySchema")?)? })
}

fn read_key(schema: &Node<'_>) -> Result<Key, TemplateError> {
    let (mut hash, mut range) = (None, None);
    for part in schema.items()? {
        let name = part.required("AttributeName")?.text()?.to_owned();
        let kind = part.required("KeyType")?;
        match kind.text()? {
            "HASH" => hash = Some(name),
            "RANGE" => range = Some(name),
            other => return Err(kind.error(format!("{other} is neither HASH nor RANGE"))),
        }
    }
    Ok(Key { hash: hash.ok_or_else(|| schema.error("a key has a HASH attribute"))?, range })
}

fn read_ttl(properties: &Node<'_>) -> Result<Option<String>, TemplateError> {
    let Some(ttl) = properties.child("TimeToLiveSpecification")? else {
        return Ok(None);
    };
    if !ttl.required("Enabled")?.flag()? {
        return Ok(None);
    }
    Ok(Some(ttl.required("AttributeName")?.text()?.to_owned()))
}
