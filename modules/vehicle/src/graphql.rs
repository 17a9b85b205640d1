use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, ID, Object};
use chrono::{DateTime, NaiveDate, Utc};
use keroxio_core::{Access, GqlResult, Money, Page, RequestContext as _, access, connection};
use keroxio_plate_grammar::Plate;
use keroxio_plugin_sdk::{Fuel, Gearbox};
use uuid::Uuid;

use crate::fact_graphql::{VehicleDispute, VehicleFact};
use crate::input::{CritAir, FuelType, GearboxType, VehicleInput, parsed};
use crate::loaders::{Certificates, Histories, Moves, Reports};
use crate::model::{StockFilter, Vehicle};
use crate::papers_graphql::{CertificateReading, HistovecReport};
use crate::registry_graphql::RegistryAnswer;
use crate::statements::{self, Statement};
use crate::stock::StockState;
use crate::stock_graphql::StockMove;
use crate::{service, stock};

/// A car and what is known of it.
pub struct VehicleObject(Vehicle);

impl From<Vehicle> for VehicleObject {
    fn from(vehicle: Vehicle) -> Self {
        Self(vehicle)
    }
}

/// Who a fact comes from.
#[derive(async_graphql::SimpleObject)]
pub struct FactSource {
    /// Name of the field.
    field: String,
    /// `SELLER`, `HISTOVEC`, `REGISTRY`, `CERTIFICATE` or `PLATE`.
    source: String,
}

impl VehicleObject {
    /// All that was said of it and still counts, in order.
    async fn said(&self, ctx: &Context<'_>) -> GqlResult<Vec<Statement>> {
        let history = ctx.load::<Histories>(self.0.id).await?.unwrap_or_default();
        Ok(statements::whole(&self.0, history))
    }
}

/// A car and what is known of it.
#[Object(name = "Vehicle")]
impl VehicleObject {
    /// Identifier.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Registration number as printed, for instance `AB-123-CD`.
    async fn plate(&self) -> Option<String> {
        let text = self.0.plate.as_ref()?;
        Some(Plate::parse(text).map_or_else(|_| text.clone(), |plate| plate.formatted()))
    }

    /// Make (field D.1).
    async fn make(&self) -> Option<&str> {
        self.0.make.as_deref()
    }

    /// Model (field D.3).
    async fn model(&self) -> Option<&str> {
        self.0.model.as_deref()
    }

    /// Version, trim and engine.
    async fn version(&self) -> Option<&str> {
        self.0.version.as_deref()
    }

    /// Month of first registration, `YYYY-MM`.
    async fn first_registration(&self) -> Option<String> {
        self.0.first_registration()
    }

    /// Odometer reading in kilometres.
    async fn mileage_km(&self) -> Option<i32> {
        self.0.mileage_km
    }

    /// Energy.
    async fn fuel(&self) -> Option<FuelType> {
        parsed::<Fuel>(self.0.fuel.as_deref()).map(FuelType::from)
    }

    /// Gearbox.
    async fn gearbox(&self) -> Option<GearboxType> {
        parsed::<Gearbox>(self.0.gearbox.as_deref()).map(GearboxType::from)
    }

    /// Power in DIN horsepower.
    async fn power_hp(&self) -> Option<i32> {
        self.0.power_hp
    }

    /// Fiscal power in CV.
    async fn fiscal_hp(&self) -> Option<i32> {
        self.0.fiscal_hp
    }

    /// Doors.
    async fn doors(&self) -> Option<i32> {
        self.0.doors
    }

    /// Seats.
    async fn seats(&self) -> Option<i32> {
        self.0.seats
    }

    /// Exterior colour.
    async fn colour(&self) -> Option<&str> {
        self.0.colour.as_deref()
    }

    /// Vehicle identification number (field E), for you alone.
    async fn vin(&self) -> Option<&str> {
        self.0.vin.as_deref()
    }

    /// Grams of CO2 per kilometre (field V.7).
    async fn co2(&self) -> Option<i32> {
        self.0.co2
    }

    /// The last reading of its registration certificate; null when none was asked for.
    async fn certificate(&self, ctx: &Context<'_>) -> GqlResult<Option<CertificateReading>> {
        Ok(ctx.load::<Certificates>(self.0.id).await?.map(CertificateReading::from))
    }

    /// What its HistoVec report says; null when none was recorded.
    async fn histovec(&self, ctx: &Context<'_>) -> GqlResult<Option<HistovecReport>> {
        Ok(ctx.load::<Reports>(self.0.id).await?.map(HistovecReport))
    }

    /// Day of the last technical inspection.
    async fn technical_inspection_on(&self) -> Option<NaiveDate> {
        self.0.inspected_on
    }

    /// Whether that inspection ordered another test.
    async fn inspection_retest(&self) -> Option<bool> {
        self.0.inspection_retest
    }

    /// Class of the Crit'Air sticker.
    async fn crit_air(&self) -> Option<CritAir> {
        self.0.crit_air.as_deref().and_then(CritAir::stored)
    }

    /// What the vehicle register last said of its number, within thirty days.
    #[graphql(complexity = "10 + child_complexity")]
    async fn registry_answer(&self, ctx: &Context<'_>) -> GqlResult<Option<RegistryAnswer>> {
        Ok(Box::pin(crate::registry::answer(ctx.app(), &self.0)).await?.map(RegistryAnswer::from))
    }

    /// Your own number of the car.
    async fn stock_number(&self) -> Option<&str> {
        self.0.stock_number.as_deref()
    }

    /// Where it stands in your stock.
    async fn stock_state(&self) -> StockState {
        self.0.stock_state()
    }

    /// Where `moveVehicle` may move it from there.
    async fn next_states(&self) -> &'static [StockState] {
        self.0.stock_state().next()
    }

    /// Where it has been, latest first, a hundred moves at most.
    #[graphql(complexity = "10 + child_complexity")]
    async fn moves(&self, ctx: &Context<'_>) -> GqlResult<Vec<StockMove>> {
        let moves = ctx.load::<Moves>(self.0.id).await?.unwrap_or_default();
        Ok(moves.into_iter().take(stock::MOST_MOVES).map(StockMove::from).collect())
    }

    /// Day on which it came into your stock, or will.
    async fn entered_on(&self) -> Option<NaiveDate> {
        self.0.entered_on
    }

    /// Whole days in stock, from its entry, or else from when it was created here, until it was sold or withdrawn.
    async fn days_in_stock(&self, ctx: &Context<'_>) -> i64 {
        self.0.days_in_stock(ctx.app().now().date_naive())
    }

    /// Price you want to ask.
    async fn asking_price(&self) -> Option<Money> {
        self.0.asking_price_eur.map(Money::euros)
    }

    /// What is known, each fact with who said it, how sure they are and when.
    #[graphql(complexity = "10 + child_complexity")]
    async fn facts(&self, ctx: &Context<'_>) -> GqlResult<Vec<VehicleFact>> {
        Ok(VehicleFact::standing(&self.said(ctx).await?))
    }

    /// Facts about which somebody says otherwise, such as a plate read on a photo that is not the one you gave. What
    /// you said stands until you decide with `settleVehicleFact`.
    #[graphql(complexity = "10 + child_complexity")]
    async fn disputes(&self, ctx: &Context<'_>) -> GqlResult<Vec<VehicleDispute>> {
        Ok(VehicleDispute::all(&self.said(ctx).await?))
    }

    /// All that was ever said of the car, latest first.
    #[graphql(complexity = "10 + first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of this fact alone, by its name in `VehicleInput`.")] field: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, VehicleFact, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(service::history(ctx.app(), self.0.id, field.as_deref(), page)).await?;
        Ok(connection(page, rows.into_iter().map(|said| (said.id, said.into())).collect()))
    }

    /// Where each known fact comes from; `facts` says more.
    async fn provenance(&self) -> Vec<FactSource> {
        let sources = self.0.sources.as_object();
        let pairs = sources.into_iter().flatten();
        pairs
            .map(|(field, source)| FactSource {
                field: field.clone(),
                source: source.as_str().unwrap_or_default().to_owned(),
            })
            .collect()
    }

    /// Facts a price cannot be estimated without, by their name in `VehicleInput`; empty when complete.
    async fn missing_for_price(&self, ctx: &Context<'_>) -> Vec<&'static str> {
        service::car_facts(&self.0, ctx.app().now().date_naive()).err().unwrap_or_default()
    }

    /// When the car was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When a fact last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

#[derive(Default)]
pub struct VehicleQuery;

#[Object]
impl VehicleQuery {
    /// A car of your organization.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn vehicle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identifier.")] id: Uuid,
    ) -> GqlResult<VehicleObject> {
        Ok(Box::pin(service::fetch(ctx.app(), ctx.actor()?.org_id, id)).await?.into())
    }

    /// Cars of your organization, newest first: all, or those of a search in stock number, plate, make, model, version,
    /// colour and year. Every word has to be there, or nearly so where it is misspelt.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn vehicles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
        #[graphql(desc = "Words to be found, at most 100 characters, or a whole plate.")] search: Option<String>,
        #[graphql(desc = "Only cars in these states; all by default.")] states: Option<Vec<StockState>>,
    ) -> GqlResult<Connection<String, VehicleObject, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows =
            Box::pin(service::list(ctx.app(), &ctx.actor()?, &StockFilter::new(search.as_deref(), states)?, page))
                .await?;
        Ok(connection(page, rows.into_iter().map(|v| (v.id, v.into())).collect()))
    }
}

#[derive(Default)]
pub struct VehicleMutation;

#[Object]
impl VehicleMutation {
    /// Creates a car from what the seller knows.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn create_vehicle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Known facts; all optional.")] input: VehicleInput,
    ) -> GqlResult<VehicleObject> {
        let mut tx = ctx.app().begin().await?;
        let vehicle = Box::pin(service::create(&mut tx, &ctx.actor()?, input)).await?;
        tx.commit().await?;
        Ok(vehicle.into())
    }

    /// Corrects a car; its listings follow.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn update_vehicle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] id: Uuid,
        #[graphql(desc = "Facts to change; absent ones stay, null erases.")] input: VehicleInput,
    ) -> GqlResult<VehicleObject> {
        Ok(Box::pin(service::correct(ctx.app(), &ctx.actor()?, id, input)).await?.into())
    }

    /// Decides a dispute: you say what the chosen statement says. Its listings follow.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn settle_vehicle_fact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] id: Uuid,
        #[graphql(desc = "The statement that is right, yours or another's.")] statement_id: Uuid,
    ) -> GqlResult<VehicleObject> {
        Ok(Box::pin(service::settle(ctx.app(), &ctx.actor()?, id, statement_id)).await?.into())
    }

    /// Takes back your latest change of a car, all its fields together; call it again for the one before. Its listings
    /// follow. `NOTHING_TO_UNDO` when the car is as it was created.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn undo_vehicle_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] id: Uuid,
    ) -> GqlResult<VehicleObject> {
        Ok(Box::pin(service::undo(ctx.app(), &ctx.actor()?, id)).await?.into())
    }
}
