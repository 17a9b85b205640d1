use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::facts;
use crate::fields::{FIELDS, may_be_shown, shown};
use crate::statements::{FactOrigin, Statement, disputes, standing};

/// A fact of a car as somebody stated it.
#[derive(SimpleObject)]
pub struct VehicleFact {
    /// Identifier of the statement.
    id: Uuid,
    /// Name of the fact in `VehicleInput`.
    field: String,
    /// Its name in French.
    label: String,
    /// The same in English.
    label_en: String,
    /// What was said, written as in `VehicleInput`; null where the fact was erased.
    value: Option<String>,
    /// Who said it.
    source: FactOrigin,
    /// How sure a reading or a register is, 0 to 1; null for a person's word.
    confidence: Option<f64>,
    /// When it was said.
    stated_at: DateTime<Utc>,
    /// The user who said it.
    stated_by: Option<Uuid>,
    /// When it was taken back with `undoVehicleChange`.
    retracted_at: Option<DateTime<Utc>>,
    /// Whether it may appear in public; a registration number may not.
    may_be_shown: bool,
}

impl VehicleFact {
    /// The statements that stand and say something.
    pub fn standing(said: &[Statement]) -> Vec<Self> {
        let stands = FIELDS.iter().filter_map(|field| standing(said, field));
        stands.filter(|s| !s.value.is_null()).cloned().map(Self::from).collect()
    }
}

impl From<Statement> for VehicleFact {
    fn from(said: Statement) -> Self {
        Self {
            id: said.id,
            label: facts::french(&said.field).to_owned(),
            label_en: facts::english(&said.field).to_owned(),
            value: shown(&said.field, &said.value),
            source: said.origin(),
            confidence: said.confidence,
            stated_at: said.stated_at,
            stated_by: said.stated_by,
            retracted_at: said.retracted_at,
            may_be_shown: may_be_shown(&said.field),
            field: said.field,
        }
    }
}

/// A fact about which not everybody says the same.
#[derive(SimpleObject)]
pub struct VehicleDispute {
    /// Name of the fact in `VehicleInput`.
    field: &'static str,
    /// What stands.
    stands: VehicleFact,
    /// What others say.
    others: Vec<VehicleFact>,
}

impl VehicleDispute {
    pub fn all(said: &[Statement]) -> Vec<Self> {
        let dispute = |field: &'static str| {
            let others: Vec<VehicleFact> = disputes(said, field).into_iter().cloned().map(VehicleFact::from).collect();
            let stands = standing(said, field).cloned()?.into();
            (!others.is_empty()).then_some(Self { field, stands, others })
        };
        FIELDS.into_iter().filter_map(dispute).collect()
    }
}
