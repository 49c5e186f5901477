//! What an operator sees: a log line for each request, and alarms only on metrics that exist.

use std::collections::BTreeSet;

use classpay_local::template::TEMPLATE;
use classpay_tests::studio::{self, CAMPBELL, NGUYEN, OKAFOR};
use classpay_tests::{Call, DEPLOYMENT, Stack, signature};
use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;

/// A metric by its name and its dimensions.
type Metric = (String, BTreeSet<String>);

/// Amazon's metrics that the template may name, from the services' own documentation.
const OF_AMAZON: [(&str, &[&str]); 2] =
    [("AWS/Lambda", &["Errors", "Throttles"]), ("AWS/ApiGateway", &["Count", "4xx", "5xx", "Latency"])];

/// The lines of requests.
fn lines(stack: &Stack) -> Vec<Value> {
    let logged = stack.logged();
    let json = logged.lines().filter_map(|line| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok());
    json.filter(|line| line.get("_aws").is_some()).collect()
}

/// The metrics in these lines.
fn emitted(lines: &[Value]) -> BTreeSet<Metric> {
    let mut metrics = BTreeSet::new();
    for line in lines {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "classpay");
            let dimensions = directive["Dimensions"][0].as_array().unwrap().iter();
            let dimensions: BTreeSet<String> = dimensions.map(|name| name.as_str().unwrap().to_owned()).collect();
            for metric in directive["Metrics"].as_array().unwrap() {
                metrics.insert((metric["Name"].as_str().unwrap().to_owned(), dimensions.clone()));
            }
        }
    }
    metrics
}

/// Without its tag: `!Ref Api` is `Api`.
fn untagged(value: &Yaml) -> &Yaml {
    match value {
        Yaml::Tagged(tagged) => &tagged.value,
        value => value,
    }
}

fn alarm_metric(place: &Yaml) -> (String, Metric) {
    let text = |name: &str| place[name].as_str().unwrap().to_owned();
    let dimensions = place["Dimensions"].as_sequence().unwrap().iter();
    let dimensions = dimensions.map(|dimension| dimension["Name"].as_str().unwrap().to_owned()).collect();
    (text("Namespace"), (text("MetricName"), dimensions))
}

/// The metrics that the template's alarms watch.
fn watched(template: &Yaml) -> Vec<(String, Metric)> {
    let resources = template["Resources"].as_mapping().unwrap().values();
    let alarms = resources.filter(|resource| resource["Type"].as_str() == Some("AWS::CloudWatch::Alarm"));
    let metrics = alarms.flat_map(|alarm| {
        let properties = &alarm["Properties"];
        match properties["Metrics"].as_sequence() {
            None => vec![alarm_metric(properties)],
            Some(several) => {
                let stats = several.iter().filter_map(|metric| metric.get("MetricStat"));
                stats.map(|stat| alarm_metric(&stat["Metric"])).collect()
            }
        }
    });
    metrics.collect()
}

/// The metrics that the dashboard draws.
fn drawn(template: &Yaml) -> Vec<(String, Metric)> {
    let body = untagged(&template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]).as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let widgets = body["widgets"].as_array().unwrap().iter();
    let rows = widgets.flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap());
    rows.map(|row| match row[0]["expression"].as_str() {
        Some(search) => searched(search),
        None => {
            let texts: Vec<&str> = row.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let dimensions = texts[2..].iter().step_by(2).map(|name| (*name).to_owned()).collect();
            (texts[0].to_owned(), (texts[1].to_owned(), dimensions))
        }
    })
    .collect()
}

/// `SEARCH('{namespace,Dimension,Dimension} … MetricName="name"', …)`.
fn searched(search: &str) -> (String, Metric) {
    let schema = search.split_once('{').unwrap().1.split_once('}').unwrap().0;
    let (namespace, dimensions) = schema.split_once(',').unwrap();
    let name = search.split_once("MetricName=\"").unwrap().1.split_once('"').unwrap().0;
    (namespace.to_owned(), (name.to_owned(), dimensions.split(',').map(str::to_owned).collect()))
}

/// Makes everything that is measured happen once.
async fn everything_happens(stack: &Stack) {
    // A payment that is captured, and one that is refused and released.
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
    let again = stack.authorise_amount(OKAFOR, 5000).await;
    let refused = stack.check_out(OKAFOR, &again, &studio::ballet_for_ada()).await;
    assert_eq!(refused.json()["paymentReleased"], true, "{}", refused.text);

    // An order that is cancelled.
    let items = studio::one(studio::TAP, studio::ISLA);
    let intent = stack.authorise(CAMPBELL, &items).await;
    stack.order_fault(Call::Capture, 1000, &json!({"drop": "before"})).await;
    assert_eq!(stack.check_out(CAMPBELL, &intent, &items).await.status, 202);
    stack.run_schedule().await;
    stack.withdraw_faults().await;
    let expired = stack.stripe().post(&format!("/_control/payment_intents/{intent}/expire"), &json!({})).await;
    assert_eq!(expired.status, 200, "{}", expired.text);
    assert_eq!(stack.check_out(CAMPBELL, &intent, &items).await.code(), "payment_cancelled");

    // Unconfirmed events: another deployment's, and one of ours that is given up.
    for (n, marker) in ["somebody", DEPLOYMENT].into_iter().enumerate() {
        let event = json!({"id": format!("evt_{n}"), "type": "payment_intent.succeeded", "created": 1_788_768_000,
            "account": stack.account(), "data": {"object": {"id": "pi_unknown", "metadata": {"classpay": marker}}}});
        stack.deliver_at(&event, 1_788_768_000).await;
    }

    // A payment without an order.
    let intent = stack.authorise_amount(NGUYEN, 5000).await;
    stack.capture_by_hand(&intent).await;
    for now in ["2026-09-07T12:00:00Z", "2026-09-08T12:00:00Z"] {
        stack.move_clock(now).await;
        stack.run_schedule().await;
    }

    // A payment that Stripe refuses.
    let why = json!({"refuse": {"status": 400, "code": "amount_too_small", "param": "amount"}});
    stack.order_fault(Call::Create, 1, &why).await;
    assert_eq!(
        stack.family(OKAFOR).session(OKAFOR, &studio::one(studio::TAP, studio::ADA)).await.code(),
        "stripe_refused"
    );

    let forged = stack.send_signed("{}", &signature("whsec_of_nobody", "{}", 1)).await;
    assert_eq!(forged.code(), "bad_signature");
    let revoked = stack.stripe().post("/_control/keys/revoke", &json!({"key": "sk_test_local"})).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    let body = json!({"amount": 1000, "transactionId": null});
    let path = format!("/v1/integrations/stripe/{OKAFOR}/payment-sessions");
    assert_eq!(stack.family(OKAFOR).post(&path, &body).await.code(), "stripe_misconfigured");
}

#[tokio::test]
async fn every_alarm_and_every_widget_names_a_metric_that_the_functions_emit() {
    let stack = Stack::start().await;
    everything_happens(&stack).await;
    let lines = lines(&stack);
    let emitted = emitted(&lines);
    let template: Yaml = serde_yaml_ng::from_str(TEMPLATE).unwrap();
    let (watched, drawn) = (watched(&template), drawn(&template));
    assert!(watched.len() > 20 && drawn.len() > 15, "{} and {}", watched.len(), drawn.len());
    for (namespace, metric) in watched.iter().chain(&drawn) {
        match namespace.as_str() {
            "classpay" => assert!(emitted.contains(metric), "{metric:?} is never emitted, only {emitted:#?}"),
            amazon => {
                let known =
                    OF_AMAZON.iter().find(|(name, _)| *name == amazon).map_or([].as_slice(), |(_, known)| known);
                assert!(known.contains(&metric.0.as_str()), "{amazon} has no {metric:?}");
            }
        }
    }
    // We pay for no metric that nobody watches.
    let looked_at: BTreeSet<_> = watched.iter().chain(&drawn).map(|(_, metric)| metric.clone()).collect();
    assert_eq!(emitted.difference(&looked_at).collect::<Vec<_>>(), Vec::<&Metric>::new());
    // Every function is in the alarms that name each of them.
    let functions = TEMPLATE.lines().filter(|line| line.trim() == "Type: AWS::Serverless::Function").count();
    for metric in ["Errors", "Throttles"] {
        assert_eq!(watched.iter().filter(|(_, (name, _))| name == metric).count(), functions, "{metric}");
    }
    // An alarm on a code names a code that exists.
    let codes: BTreeSet<_> = lines.iter().filter_map(|line| line["Code"].as_str()).collect();
    for code in ["bad_signature", "stripe_misconfigured"] {
        assert!(codes.contains(code) && TEMPLATE.contains(&format!("Name: Code, Value: {code}")), "{code}");
    }
}

#[tokio::test]
async fn a_request_has_one_line_that_says_what_it_was_about_and_how_long_it_waited() {
    let stack = Stack::start().await;
    let intent = stack.authorise(OKAFOR, &studio::ballet_for_ada()).await;
    for _ in 0..2 {
        assert_eq!(stack.check_out(OKAFOR, &intent, &studio::ballet_for_ada()).await.status, 200);
    }
    let unknown = stack.family(OKAFOR).get(&format!("/v1/basket/{OKAFOR}/quote?enrolments=7")).await;
    assert_eq!(unknown.status, 400, "{}", unknown.text);
    let request_id = unknown.json()["requestId"].as_str().unwrap().to_owned();

    let lines = lines(&stack);
    let of = |function: &str| lines.iter().filter(|line| line["Function"] == function).collect::<Vec<_>>();
    let checkouts = of("basket-checkout");
    assert_eq!(checkouts.len(), 2, "{checkouts:#?}");
    for (line, is_cold) in checkouts.iter().zip([true, false]) {
        assert_eq!(line["intent"], intent);
        assert!(line["order"].as_str().unwrap().starts_with("ord_"), "{line}");
        assert_eq!((&line["status"], &line["message"]), (&json!(200), &json!("answered")));
        assert_eq!((line["cold_start"].as_bool(), line.get("ColdStarts").is_some()), (Some(is_cold), is_cold));
        assert!(line["DurationMs"].as_i64().unwrap() >= line["DynamoDbMs"].as_i64().unwrap(), "{line}");
    }
    assert_eq!((&checkouts[0]["stripe_calls"], &checkouts[0]["PaymentsCompleted"]), (&json!(2), &json!(1)));
    assert_eq!(checkouts[1].get("PaymentsCompleted"), None, "it was completed once");
    let quotes = of("get-quote");
    let [refused] = quotes.as_slice() else { panic!("one: {quotes:#?}") };
    assert_eq!((&refused["request_id"], &refused["Code"]), (&json!(request_id), &unknown.json()["code"]));
}
