use async_graphql::Enum;

/// A part of the preparation of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StepKind {
    /// Reading the plate on the photos.
    Plate,
    /// Putting together what is known of the vehicle.
    Vehicle,
    /// Cleaning one photo and hiding its plates.
    Photo,
    /// Estimating the price.
    Price,
    /// Writing the ad.
    Text,
    /// Preparing the texts and links for the portals.
    Publication,
}

impl StepKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plate => "plate",
            Self::Vehicle => "vehicle",
            Self::Photo => "photo",
            Self::Price => "price",
            Self::Text => "text",
            Self::Publication => "publication",
        }
    }

    pub fn parse(text: &str) -> Self {
        match text {
            "plate" => Self::Plate,
            "vehicle" => Self::Vehicle,
            "photo" => Self::Photo,
            "price" => Self::Price,
            "text" => Self::Text,
            _ => Self::Publication,
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StepState {
    /// Waits for another step.
    Waiting,
    /// Is being worked on.
    Running,
    /// Ended with a result, or with the statement that there is none in this photo.
    Done,
    /// Needs facts only the seller knows; `missing` names them.
    NeedsInput,
    /// Ended without a result; the error says why and what to do.
    Failed,
}

impl StepState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::NeedsInput => "needs_input",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Self {
        match text {
            "running" => Self::Running,
            "done" => Self::Done,
            "needs_input" => Self::NeedsInput,
            "failed" => Self::Failed,
            _ => Self::Waiting,
        }
    }

    /// Nothing more will happen without the seller.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::NeedsInput | Self::Failed)
    }
}

/// Where a listing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ListingState {
    /// Steps are still running.
    Preparing,
    /// Every step is done: the ad can be published.
    Ready,
    /// The preparation ended, but a step failed or needs facts from the seller.
    Incomplete,
}

impl ListingState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::Incomplete => "incomplete",
        }
    }

    pub fn parse(text: &str) -> Self {
        match text {
            "ready" => Self::Ready,
            "incomplete" => Self::Incomplete,
            _ => Self::Preparing,
        }
    }
}

/// What a step has come to; compared with the stored row, so that only changes are reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub state: StepState,
    pub fingerprint: Option<String>,
    pub result_id: Option<uuid::Uuid>,
    pub error_code: Option<String>,
    pub message: Option<(String, String)>,
    pub missing: Vec<String>,
}

impl Outcome {
    pub fn plain(state: StepState) -> Self {
        Self { state, fingerprint: None, result_id: None, error_code: None, message: None, missing: Vec::new() }
    }

    pub fn needs(missing: &[&str], fr: String, en: String) -> Self {
        Self {
            missing: missing.iter().map(|m| (*m).to_owned()).collect(),
            message: Some((fr, en)),
            error_code: Some("FACTS_MISSING".to_owned()),
            ..Self::plain(StepState::NeedsInput)
        }
    }

    pub fn failed(code: &str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            error_code: Some(code.to_owned()),
            message: Some((fr.into(), en.into())),
            ..Self::plain(StepState::Failed)
        }
    }

    pub fn done(result_id: Option<uuid::Uuid>) -> Self {
        Self { result_id, ..Self::plain(StepState::Done) }
    }

    pub fn saying(mut self, fr: impl Into<String>, en: impl Into<String>) -> Self {
        self.message = Some((fr.into(), en.into()));
        self
    }

    pub fn with_result(mut self, result_id: uuid::Uuid) -> Self {
        self.result_id = Some(result_id);
        self
    }

    pub fn with_fingerprint(mut self, fingerprint: &str) -> Self {
        self.fingerprint = Some(fingerprint.to_owned());
        self
    }
}
