//! The table in the embedded DynamoDB, through the real SDK.

use std::path::PathBuf;

use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveStatus};
use classpay_local::binaries;
use classpay_local::dynamodb::client;
use classpay_local::stack::{Settings, Stack};
use classpay_local::template::{TEMPLATE, Template};

use crate::echo;

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    folder
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[tokio::test]
async fn the_table_is_made_as_the_repositorys_template_has_it() {
    // The tests' functions with the repository's table.
    let mut template = Template::parse(echo::TEMPLATE).unwrap();
    template.table = Template::parse(TEMPLATE).unwrap().table;
    let binaries = binaries::in_folder(&echo::examples(), &template);
    let stack = Stack::start(&echo::settings(), template, &binaries).await.unwrap();

    let dynamodb = client(&stack.dynamodb_url, true);
    let table = dynamodb.describe_table().table_name(&stack.table).send().await.unwrap().table.unwrap();
    let index = &table.global_secondary_indexes()[0];
    assert_eq!(index.index_name(), Some("GSI1"));
    let names: Vec<_> = index.key_schema().iter().map(|key| key.attribute_name.as_str()).collect();
    assert_eq!(names, ["gsi1pk", "gsi1sk"]);
    let ttl = dynamodb.describe_time_to_live().table_name(&stack.table).send().await.unwrap();
    let ttl = ttl.time_to_live_description.unwrap();
    assert_eq!(ttl.attribute_name.as_deref(), Some("ttl"));
    assert_eq!(ttl.time_to_live_status, Some(TimeToLiveStatus::Enabled));
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let settings = Settings { data_dir: Some(folder("restart")), ..echo::settings() };
    let first = echo::start(&settings).await.stack;
    let dynamodb = client(&first.dynamodb_url, true);
    dynamodb
        .put_item()
        .table_name(&first.table)
        .item("pk", text("a"))
        .item("sk", text("a"))
        .item("n", text("b"))
        .send()
        .await
        .unwrap();
    first.stop().await;

    let second = echo::start(&settings).await.stack;
    let dynamodb = client(&second.dynamodb_url, true);
    let item = dynamodb
        .get_item()
        .table_name(&second.table)
        .key("pk", text("a"))
        .key("sk", text("a"))
        .send()
        .await
        .unwrap()
        .item
        .unwrap();
    assert_eq!(item["n"], text("b"));
}

#[tokio::test]
async fn a_table_of_another_version_is_refused() {
    let settings = Settings { data_dir: Some(folder("version")), ..echo::settings() };
    echo::start(&settings).await.stack.stop().await;

    let mut template = Template::parse(echo::TEMPLATE).unwrap();
    template.table = Template::parse(TEMPLATE).unwrap().table;
    let binaries = binaries::in_folder(&echo::examples(), &template);
    let problem = Stack::start(&settings, template, &binaries).await.err().expect("refused").to_string();
    assert!(problem.contains("has other keys or indexes than infra/template.yaml"), "{problem}");
}

#[tokio::test]
async fn a_folder_serves_one_stack_at_a_time() {
    let settings = Settings { data_dir: Some(folder("one_at_a_time")), ..echo::settings() };
    let first = echo::start(&settings).await.stack;
    let template = Template::parse(echo::TEMPLATE).unwrap();
    let binaries = binaries::in_folder(&echo::examples(), &template);
    let second = Stack::start(&settings, template.clone(), &binaries).await;
    let problem = second.err().expect("refused").to_string();
    assert!(problem.contains("another stack is running on"), "{problem}");
    first.stop().await;
    assert!(Stack::start(&settings, template, &binaries).await.is_ok());
}

#[tokio::test]
async fn a_dynamodb_of_the_developers_own_is_used_and_nothing_is_started_for_it() {
    let embedded = echo::echo().await;
    let settings = Settings {
        dynamodb_url: Some(embedded.stack.dynamodb_url.clone()),
        table: "another".to_owned(),
        ..echo::settings()
    };
    let api = echo::start(&settings).await;
    assert_eq!(api.stack.dynamodb_url, embedded.stack.dynamodb_url);
    let tables = client(&api.stack.dynamodb_url, true).list_tables().send().await.unwrap();
    assert_eq!(tables.table_names(), ["another", "classpay-local"]);
}

#[tokio::test]
async fn beside_a_dynamodb_that_is_not_local_the_clock_cannot_be_moved() {
    let settings = Settings {
        dynamodb_url: Some("http://dynamodb.invalid:8000".to_owned()),
        now: Some("2030-01-01T00:00:00Z".parse().unwrap()),
        ..echo::settings()
    };
    let template = Template::parse(echo::TEMPLATE).unwrap();
    let binaries = binaries::in_folder(&echo::examples(), &template);
    let problem = Stack::start(&settings, template, &binaries).await.err().expect("refused").to_string();
    assert!(problem.contains("--now"), "{problem}");
}
