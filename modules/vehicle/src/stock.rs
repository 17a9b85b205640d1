//! Where a car stands in the seller's stock, and how it moves.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{Actor, App, Result, Right, Tx};
use uuid::Uuid;

use crate::error;
use crate::events::VehicleMoved;
use crate::model::{self, Vehicle};
use crate::service::{car_facts, locked};
use crate::tables::vehicle_moves;

/// Moves of a car that are told.
pub const MOST_MOVES: usize = 100;

/// Where a car stands in the stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockState {
    /// Bought, not here yet.
    Arriving,
    /// Here, being prepared for sale.
    Preparing,
    /// Its ad can be published.
    Ready,
    /// An ad is online, on a portal or on a page of ours.
    Published,
    /// Kept for a buyer.
    Reserved,
    /// Sold, not handed over yet.
    Sold,
    /// Handed over.
    Delivered,
    /// No longer for sale.
    Withdrawn,
}

impl StockState {
    const WORDS: [(Self, &'static str); 8] = [
        (Self::Arriving, "arriving"),
        (Self::Preparing, "preparing"),
        (Self::Ready, "ready"),
        (Self::Published, "published"),
        (Self::Reserved, "reserved"),
        (Self::Sold, "sold"),
        (Self::Delivered, "delivered"),
        (Self::Withdrawn, "withdrawn"),
    ];

    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(state, _)| *state == self).map_or("preparing", |(_, word)| word)
    }

    pub fn stored(word: &str) -> Self {
        Self::WORDS.iter().find(|(_, known)| *known == word).map_or(Self::Preparing, |(state, _)| *state)
    }

    /// In French.
    pub fn french(self) -> &'static str {
        match self {
            Self::Arriving => "en arrivage",
            Self::Preparing => "en préparation",
            Self::Ready => "prête",
            Self::Published => "en ligne",
            Self::Reserved => "réservée",
            Self::Sold => "vendue",
            Self::Delivered => "livrée",
            Self::Withdrawn => "retirée",
        }
    }

    /// Where a person may move a car from here. `Published` is left to publications, which say so when an ad goes online
    /// and when the last one goes.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Arriving => &[Self::Preparing, Self::Reserved, Self::Sold, Self::Withdrawn],
            Self::Preparing => &[Self::Arriving, Self::Ready, Self::Reserved, Self::Sold, Self::Withdrawn],
            Self::Ready => &[Self::Preparing, Self::Reserved, Self::Sold, Self::Withdrawn],
            Self::Published => &[Self::Reserved, Self::Sold, Self::Withdrawn],
            Self::Reserved => &[Self::Preparing, Self::Ready, Self::Sold, Self::Withdrawn],
            Self::Sold => &[Self::Ready, Self::Delivered],
            Self::Delivered => &[],
            Self::Withdrawn => &[Self::Preparing],
        }
    }

    /// Whether it is no longer for sale.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Sold | Self::Delivered | Self::Withdrawn)
    }
}

/// A car that went from one state to another.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = vehicle_moves)]
pub struct Move {
    pub id: Uuid,
    pub org_id: Uuid,
    pub vehicle_id: Uuid,
    pub from_state: String,
    pub to_state: String,
    pub moved_at: DateTime<Utc>,
    pub moved_by: Option<Uuid>,
}

/// A person moves a car.
///
/// # Errors
/// `STOCK_MOVE_REFUSED` where there is no way from its state to that one, or facts are missing to be ready.
pub(crate) async fn move_to(app: &App, actor: &Actor, id: Uuid, to: StockState) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let mut vehicle = locked(&mut tx, actor.org_id, id).await?;
    let from = vehicle.stock_state();
    if from == to {
        return Ok(vehicle);
    }
    if !from.next().contains(&to) {
        return Err(error::move_refused(from, to));
    }
    if to == StockState::Ready && from == StockState::Preparing {
        car_facts(&vehicle, app.now().date_naive()).map_err(|missing| error::not_ready(&missing))?;
    }
    record(&mut tx, &mut vehicle, to, Some(actor.user_id)).await?;
    tx.announce(&VehicleMoved { vehicle_id: id, org_id: vehicle.org_id, from, to }).await?;
    tx.commit().await?;
    Ok(vehicle)
}

/// Something happened to a car, such as a sale: it moves with it if it is in one of these states. Nobody is told: who
/// calls knows.
pub async fn follow(tx: &mut Tx, org: Uuid, id: Uuid, from: &[StockState], to: StockState) -> Result<()> {
    let mut vehicle = locked(tx, org, id).await?;
    if from.contains(&vehicle.stock_state()) {
        record(tx, &mut vehicle, to, None).await?;
    }
    Ok(())
}

/// Locks a car until the transaction ends, for who has to look before [`follow`].
pub async fn hold(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<()> {
    locked(tx, org, id).await.map(drop)
}

async fn record(tx: &mut Tx, vehicle: &mut Vehicle, to: StockState, by: Option<Uuid>) -> Result<()> {
    let now = tx.app().now();
    let from = vehicle.stock_state();
    let moved = Move {
        id: Uuid::now_v7(),
        org_id: vehicle.org_id,
        vehicle_id: vehicle.id,
        from_state: from.as_str().to_owned(),
        to_state: to.as_str().to_owned(),
        moved_at: now,
        moved_by: by,
    };
    diesel::insert_into(vehicle_moves::table).values(&moved).execute(&mut **tx).await?;
    to.as_str().clone_into(&mut vehicle.stock_state);
    vehicle.left_on = if to.is_gone() { vehicle.left_on.or(Some(now.date_naive())) } else { None };
    vehicle.touch(now);
    model::save(tx, vehicle).await?;
    Ok(())
}

/// Where some cars have been, latest first: as many moves of each as one is told of at most.
pub(crate) async fn moves_of_all(conn: &mut AsyncPgConnection, vehicles: &[Uuid]) -> QueryResult<Vec<Move>> {
    let newest = "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY vehicle_id ORDER BY id DESC) AS place \
         FROM vehicle_moves WHERE vehicle_id = ANY($1)) AS moves WHERE place <= $2 ORDER BY id DESC";
    let most = i64::try_from(MOST_MOVES).unwrap_or(i64::MAX);
    diesel::sql_query(newest).bind::<Array<SqlUuid>, _>(vehicles).bind::<BigInt, _>(most).load(conn).await
}

/// The stock of an organization by state.
pub(crate) async fn summary(app: &App, org: Uuid) -> Result<Vec<model::SummaryRow>> {
    Ok(model::summary(&mut *app.conn().await?, org, app.now().date_naive()).await?)
}

impl Vehicle {
    pub fn stock_state(&self) -> StockState {
        StockState::stored(&self.stock_state)
    }

    /// Whole days from the day it came, or was entered here, to the day it was sold or withdrawn, or to today.
    pub fn days_in_stock(&self, today: chrono::NaiveDate) -> i64 {
        let since = self.entered_on.unwrap_or_else(|| self.created_at.date_naive());
        (self.left_on.unwrap_or(today) - since).num_days().max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reached_and_only_a_handed_over_car_stays_where_it_is() {
        let all = StockState::WORDS.map(|(state, _)| state);
        for state in all {
            assert_eq!(StockState::stored(state.as_str()), state);
            assert_eq!(state.next().is_empty(), state == StockState::Delivered);
            assert!(!state.next().contains(&state));
            let reached = all.iter().any(|from| from.next().contains(&state));
            // The first is where some cars begin, and publications alone say what is online.
            assert_eq!(reached, state != StockState::Published, "{state:?}");
        }
    }
}
