//! Words that are stored, and what they are called in the schema.

use async_graphql::Enum;

/// Where a lead comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Enum)]
pub enum LeadSource {
    /// The form on the page of an ad, or one like it on your own site.
    PageForm,
    /// A program, by its API key.
    Api,
    /// A mail from leboncoin.
    EmailLeboncoin,
    /// A mail from La Centrale.
    EmailLacentrale,
    /// Any other mail.
    EmailOther,
    /// A table that was imported.
    Csv,
    /// A call.
    Phone,
    /// Somebody who came by.
    WalkIn,
}

impl LeadSource {
    pub const ALL: [Self; 8] = [
        Self::PageForm,
        Self::Api,
        Self::EmailLeboncoin,
        Self::EmailLacentrale,
        Self::EmailOther,
        Self::Csv,
        Self::Phone,
        Self::WalkIn,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::PageForm => "page_form",
            Self::Api => "api",
            Self::EmailLeboncoin => "email_leboncoin",
            Self::EmailLacentrale => "email_lacentrale",
            Self::EmailOther => "email_other",
            Self::Csv => "csv",
            Self::Phone => "phone",
            Self::WalkIn => "walk_in",
        }
    }

    /// What was stored; a word of a later release counts as a program's.
    pub fn stored(name: &str) -> Self {
        Self::ALL.into_iter().find(|source| source.name() == name).unwrap_or(Self::Api)
    }

    /// How the first message came.
    pub fn first_kind(self) -> LeadInteractionKind {
        match self {
            Self::PageForm | Self::Api | Self::Csv => LeadInteractionKind::Form,
            Self::EmailLeboncoin | Self::EmailLacentrale | Self::EmailOther => LeadInteractionKind::Email,
            Self::Phone => LeadInteractionKind::Call,
            Self::WalkIn => LeadInteractionKind::Visit,
        }
    }
}

/// How somebody and the garage met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum LeadInteractionKind {
    /// A message by a form or a program.
    Form,
    /// A call.
    Call,
    /// An e-mail.
    Email,
    /// A text message.
    Sms,
    /// A visit.
    Visit,
    /// What somebody of the garage noted; the person has no part in it.
    Note,
}

impl LeadInteractionKind {
    const ALL: [Self; 6] = [Self::Form, Self::Call, Self::Email, Self::Sms, Self::Visit, Self::Note];

    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Call => "call",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Visit => "visit",
            Self::Note => "note",
        }
    }

    pub fn stored(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or(Self::Note)
    }
}

/// Who began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum LeadDirection {
    /// The person came to the garage.
    In,
    /// The garage went to the person.
    Out,
}

impl LeadDirection {
    pub fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }

    pub fn stored(name: &str) -> Self {
        if name == "out" { Self::Out } else { Self::In }
    }
}

/// What somebody who asked about a car may agree to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ContactConsentPurpose {
    /// To be told of other cars.
    Offers,
    /// To be asked how they were received.
    Surveys,
}

impl ContactConsentPurpose {
    pub fn name(self) -> &'static str {
        match self {
            Self::Offers => "offers",
            Self::Surveys => "surveys",
        }
    }

    pub fn stored(name: &str) -> Self {
        if name == "surveys" { Self::Surveys } else { Self::Offers }
    }
}

/// Which tasks are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum LeadTaskState {
    /// Still to be done.
    Open,
    /// Still to be done, and past their time.
    Overdue,
    /// Done.
    Done,
}

/// By what statistics are cut, on the clocks of France.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum LeadPeriod {
    /// Days.
    Day,
    /// Weeks from Monday.
    Week,
    /// Months.
    Month,
}

impl LeadPeriod {
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}
