//! What is read from a template, and what is rejected in one.

use std::collections::BTreeSet;
use std::time::Duration;

use classpay_local::template::{Authorizer, Expression, TEMPLATE, Template};

const TESTS_OWN: &str = include_str!("echo/template.yaml");

#[test]
fn every_function_of_the_repositorys_template_has_a_route_behind_the_authorizer_and_the_table() {
    let template = Template::parse(TEMPLATE).unwrap();
    let routes: BTreeSet<_> = template.routes.iter().map(|route| (route.key(), route.function.as_str())).collect();
    for (key, function) in [
        ("GET /v1/basket/{familyId}/quote", "GetQuoteFunction"),
        ("POST /v1/basket/{familyId}/checkout", "BasketCheckoutFunction"),
        ("POST /v1/integrations/stripe/{familyId}/payment-sessions", "CreatePaymentSessionFunction"),
    ] {
        assert!(routes.contains(&(key.to_owned(), function)), "{key} in {routes:?}");
        let route = template.routes.iter().find(|route| route.key() == key).unwrap();
        assert_eq!(route.authorizer, Authorizer::Jwt, "{key}");
    }
    let quote = template.function("get-quote").unwrap();
    assert_eq!(quote.resource, "GetQuoteFunction");
    assert_eq!(quote.timeout, Duration::from_secs(25));
    assert_eq!(quote.environment["TABLE_NAME"], Expression::Ref("Table".into()));
    assert!(!quote.environment.contains_key("STRIPE_SECRET_ARN"), "a quote asks Stripe nothing");
    let table = &template.table;
    assert_eq!((table.key.hash.as_str(), table.key.range.as_deref()), ("pk", Some("sk")));
    assert_eq!(table.indexes[0].name, "GSI1");
    assert_eq!(table.ttl_attribute.as_deref(), Some("ttl"));
}

#[test]
fn what_a_function_says_itself_wins_over_what_all_say() {
    let template = Template::parse(TESTS_OWN).unwrap();
    assert_eq!(template.functions["EchoFunction"].timeout, Duration::from_secs(20));
    assert_eq!(template.functions["HastyFunction"].timeout, Duration::from_secs(1));
    let open = template.routes.iter().find(|route| route.path == "/open").unwrap();
    assert_eq!(open.authorizer, Authorizer::None);
}

#[test]
fn a_schedule_is_a_rate() {
    let template = Template::parse(TESTS_OWN).unwrap();
    assert_eq!(template.schedules.len(), 1);
    assert_eq!(template.schedules[0].function, "HourlyFunction");
    assert_eq!(template.schedules[0].every, Duration::from_secs(60 * 60));
}

#[test]
fn a_template_that_cannot_be_used_says_where_and_why() {
    for (from, to, complaint) in [
        ("StageName: $default", "StageName: prod", "Resources.Api.Properties.StageName: only the stage $default"),
        (
            "DefaultAuthorizer: Jwt",
            "DefaultAuthorizer: Other",
            "Resources.Api.Properties.Auth.Authorizers: Other is missing",
        ),
        (
            "      CodeUri: ../functions/echo\n      Timeout: 1",
            "      Timeout: 1",
            "Resources.HastyFunction.Properties: CodeUri is missing",
        ),
        ("Timeout: 1\n", "Timeout: soon\n", "Resources.HastyFunction.Properties.Timeout: expected a whole number"),
        (
            "Path: /hasty",
            "Path: \"/{proxy+}\"",
            "Resources.HastyFunction.Properties.Events.Get.Properties.Path: a parameter is",
        ),
        ("Path: /hasty", "Path: hasty", "a path starts with /"),
        (
            "Path: /hasty",
            "Path: /stillborn",
            "Resources.StillbornFunction: GET /stillborn is also a route of HastyFunction",
        ),
        (
            "Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /hasty } }",
            "Get: { Type: SQS }",
            "Resources.HastyFunction.Properties.Events.Get.Type: an event of type SQS",
        ),
        (
            "FAILS_AT_START: \"yes\"",
            "FAILS_AT_START: !ImportValue x",
            "FAILS_AT_START: !ImportValue is not understood here",
        ),
        (
            "BillingMode: PAY_PER_REQUEST",
            "BillingMode: PROVISIONED",
            "Resources.Table.Properties.BillingMode: only PAY_PER_REQUEST",
        ),
        ("KeyType: HASH", "KeyType: RANGE", "Resources.Table.Properties.KeySchema: a key has a HASH attribute"),
        ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "Resources: expected one AWS::DynamoDB::Table, found 0"),
        ("AWS::Serverless::HttpApi", "AWS::S3::Bucket", "Resources: expected an AWS::Serverless::HttpApi"),
        ("Resources:\n", "Resources: [", "template.yaml: is no YAML"),
    ] {
        assert!(TESTS_OWN.contains(from), "{from}");
        let problem = Template::parse(&TESTS_OWN.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(problem.contains(complaint), "{problem}\n is not about\n{complaint}");
    }
}
