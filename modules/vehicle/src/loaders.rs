//! What lists of cars ask for car by car.

use std::collections::HashMap;

use keroxio_core::{App, Batch, Result};
use uuid::Uuid;

use crate::certificate::{self, Reading};
use crate::histovec::{self, Report};
use crate::model::{self, Vehicle};
use crate::statements::{self, Statement};
use crate::stock::{self, Move};

/// Cars by organization and id.
pub struct Vehicles;

impl Batch for Vehicles {
    type Key = (Uuid, Uuid);
    type Value = Vehicle;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Vehicle>> {
        let ids: Vec<Uuid> = keys.iter().map(|(_, id)| *id).collect();
        let found = model::with_ids(&mut *app.conn().await?, &ids).await?;
        let by_key = found.into_iter().map(|car| ((car.org_id, car.id), car));
        // A car of another organization is none.
        Ok(by_key.filter(|(key, _)| keys.contains(key)).collect())
    }
}

/// What was said of a car whose owner the caller has checked.
pub struct Histories;

impl Batch for Histories {
    type Key = Uuid;
    type Value = Vec<Statement>;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Statement>>> {
        let mut histories: HashMap<Uuid, Vec<Statement>> = HashMap::new();
        for said in statements::of_all(&mut *app.conn().await?, keys).await? {
            histories.entry(said.vehicle_id).or_default().push(said);
        }
        Ok(histories)
    }
}

/// Where a car has been, latest first; its owner was checked.
pub struct Moves;

impl Batch for Moves {
    type Key = Uuid;
    type Value = Vec<Move>;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<Move>>> {
        let mut moves: HashMap<Uuid, Vec<Move>> = HashMap::new();
        for moved in stock::moves_of_all(&mut *app.conn().await?, keys).await? {
            moves.entry(moved.vehicle_id).or_default().push(moved);
        }
        Ok(moves)
    }
}

/// The last reading of a car's certificate; its owner was checked.
pub struct Certificates;

impl Batch for Certificates {
    type Key = Uuid;
    type Value = Reading;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Reading>> {
        let found = certificate::last_of_all(&mut *app.conn().await?, keys).await?;
        Ok(found.into_iter().map(|reading| (reading.vehicle_id, reading)).collect())
    }
}

/// The HistoVec report of a car; its owner was checked.
pub struct Reports;

impl Batch for Reports {
    type Key = Uuid;
    type Value = Report;

    async fn load(app: &App, keys: &[Uuid]) -> Result<HashMap<Uuid, Report>> {
        Ok(histovec::of_all(&mut *app.conn().await?, keys).await?)
    }
}
