use keroxio_core::{Error, ErrorCode};
use serde_json::json;

use crate::REFUSALS;
use crate::plans::{PlanCode, Unit};
use crate::standing::Standing;

pub const PLAN_LIMIT_REACHED: ErrorCode = ErrorCode("PLAN_LIMIT_REACHED");

/// One more than a plan gives was asked for.
pub fn limit_reached(unit: Unit, standing: &Standing, limit: i32, used: i32) -> Error {
    metrics::counter!(REFUSALS, "unit" => unit.name()).increment(1);
    let plan = standing.plan;
    let is_last = plan.code == PlanCode::Enterprise;
    let (do_fr, do_en) = match (unit, is_last) {
        (_, false) => {
            ("changez d'offre (createCheckout, changePlan)", "choose a larger plan (createCheckout, changePlan)")
        }
        (Unit::ActiveAds | Unit::Seats, true) => ("libérez-en d'abord", "make room first"),
        (Unit::Photos | Unit::ApiCalls, true) => {
            ("attendez le mois prochain ou écrivez-nous", "wait for next month, or write to us")
        }
    };
    Error::new(
        PLAN_LIMIT_REACHED,
        format!(
            "L'offre {} comprend {limit} {} : {do_fr}. Ce qui existe reste disponible.",
            plan.name_fr,
            unit.in_french()
        ),
        format!("The plan {} gives {limit} {}: {do_en}. What exists stays available.", plan.name_en, unit.in_english()),
    )
    .with_details(json!({
        "unit": unit.name(), "limit": limit, "used": used, "plan": plan.code.name(),
        "action": if is_last { "MAKE_ROOM" } else { "CHANGE_PLAN" },
    }))
}
