//! What may happen that integrators are told of.

use async_graphql::Enum;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum WebhookEvent {
    /// `listing.prepared`: an advertisement is ready to be published; `$id` is the listing.
    ListingPrepared,
    /// `listing.sold`: its car was sold; `$id` is the listing.
    ListingSold,
    /// `listing.taken_back`: a sale was cancelled; `$id` is the listing.
    ListingTakenBack,
    /// `images.cleaned`: a photo was cleaned; `$id` is the photo.
    ImagesCleaned,
    /// `plates.read`: a plate was read; `$id` is the reading.
    PlatesRead,
    /// `crm.lead_received`: somebody asked about a car; `$id` is the lead.
    LeadReceived,
    /// `crm.lead_moved`: a lead went to another stage; `$id` is the lead.
    LeadMoved,
    /// `vehicle.changed`: facts of a car changed; `$id` is the vehicle.
    VehicleChanged,
    /// `vehicle.moved`: a car moved through the stock; `$id` is the vehicle.
    VehicleMoved,
}

impl WebhookEvent {
    pub const ALL: [Self; 9] = [
        Self::ListingPrepared,
        Self::ListingSold,
        Self::ListingTakenBack,
        Self::LeadReceived,
        Self::LeadMoved,
        Self::ImagesCleaned,
        Self::PlatesRead,
        Self::VehicleChanged,
        Self::VehicleMoved,
    ];
    /// Sent to try a webhook out.
    pub const TEST: &'static str = "webhook.test";

    pub fn name(self) -> &'static str {
        match self {
            Self::ListingPrepared => "listing.prepared",
            Self::ListingSold => "listing.sold",
            Self::ListingTakenBack => "listing.taken_back",
            Self::LeadReceived => "crm.lead_received",
            Self::LeadMoved => "crm.lead_moved",
            Self::ImagesCleaned => "images.cleaned",
            Self::PlatesRead => "plates.read",
            Self::VehicleChanged => "vehicle.changed",
            Self::VehicleMoved => "vehicle.moved",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }
}
