//! The amounts and currencies that Stripe accepts.
//!
//! Amounts are whole numbers of the currency's smallest unit; no floats.

use crate::error::ApiError;

const CURRENCIES: &str = "\
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bif bmd bnd bob brl bsd bwp byn \
    bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd \
    gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jpy kes kgs khr kmf krw kyd kzt lak lbp lkr \
    lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen \
    pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs \
    top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw \
    bhd jod kwd omr tnd";

const ZERO_DECIMAL: &str = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf";
const THREE_DECIMAL: &str = "bhd jod kwd omr tnd";

/// Eight digits, Stripe's largest amount.
const LARGEST: i64 = 99_999_999;

/// Stripe's minimum charge, in the smallest unit.
fn smallest(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        "aed" | "pln" | "ron" | "myr" => 200,
        "bgn" => 100,
        "czk" => 1500,
        "dkk" => 250,
        "hkd" => 400,
        "huf" => 17_500,
        "mxn" | "thb" => 1000,
        "nok" | "sek" => 300,
        _ => 50,
    }
}

/// `$0.50 usd`, as Stripe writes an amount in a message.
pub fn words(amount: i64, currency: &str) -> String {
    let symbol = match currency {
        "usd" => "$",
        "gbp" => "£",
        "eur" => "€",
        "jpy" => "¥",
        _ => "",
    };
    if ZERO_DECIMAL.contains(currency) {
        return format!("{symbol}{amount} {currency}");
    }
    let (unit, digits) = if THREE_DECIMAL.contains(currency) { (1000, 3) } else { (100, 2) };
    format!("{symbol}{}.{:0digits$} {currency}", amount / unit, amount % unit)
}

/// The currency in lower case, or why it isn't one.
pub fn currency(given: &str) -> Result<String, ApiError> {
    let currency = given.to_ascii_lowercase();
    if currency.len() == 3 && CURRENCIES.split(' ').any(|known| known == currency) {
        return Ok(currency);
    }
    let known = CURRENCIES.replace(' ', ", ");
    let message = format!("Invalid currency: {given}. Stripe currently supports these currencies: {known}");
    Err(ApiError::invalid(message).param("currency"))
}

/// Checks that Stripe would charge the amount. `currency` is already checked.
pub fn chargeable(amount: i64, currency: &str) -> Result<(), ApiError> {
    at_least_one(amount, "amount")?;
    if amount < smallest(currency) {
        let message = format!("Amount must be at least {}", words(smallest(currency), currency));
        return Err(ApiError::invalid(message).code("amount_too_small").param("amount"));
    }
    if amount > LARGEST {
        let message = format!("Amount must be no more than {}", words(LARGEST, currency));
        return Err(ApiError::invalid(message).code("amount_too_large").param("amount"));
    }
    if THREE_DECIMAL.contains(currency) && amount % 10 != 0 {
        let message = format!("Invalid amount. Amounts in {currency} end in 0.");
        return Err(ApiError::invalid(message).param("amount"));
    }
    Ok(())
}

pub fn at_least_one(amount: i64, param: &str) -> Result<(), ApiError> {
    if amount >= 1 {
        return Ok(());
    }
    Err(ApiError::invalid("This value must be greater than or equal to 1.")
        .code("parameter_invalid_integer")
        .param(param))
}
