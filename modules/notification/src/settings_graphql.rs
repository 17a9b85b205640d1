use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::NaiveTime;
use chrono_tz::Tz;
use keroxio_core::{Access, Error, GqlResult, RequestContext as _, Result, access};

use crate::kinds::{NotificationChannel, NotificationKind};
use crate::readers::{HOME, View};
use crate::service;

/// How often one is written a summary of what one has not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum NotificationDigest {
    /// Never.
    Off,
    /// Each morning at seven.
    Daily,
    /// On Mondays at seven.
    Weekly,
}

impl NotificationDigest {
    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "daily" => Self::Daily,
            "weekly" => Self::Weekly,
            _ => Self::Off,
        }
    }
}

/// Whether you are told of something in some way.
#[derive(SimpleObject)]
pub struct NotificationPreference {
    /// What it is about.
    kind: NotificationKind,
    /// Its name in French.
    label: &'static str,
    /// Its name in English.
    label_en: &'static str,
    /// In which way.
    channel: NotificationChannel,
    /// Whether you are told.
    enabled: bool,
    /// Whether that can be changed: some letters belong to an account or a contract.
    locked: bool,
}

/// Hours in which you are sent no letter about notifications; they come afterwards.
#[derive(SimpleObject)]
pub struct QuietHours {
    /// Their beginning, as `22:00`.
    from: String,
    /// Their end, as `07:00`; the next day where it is earlier.
    to: String,
    /// Whose clock: a name of the IANA database.
    time_zone: String,
}

/// What you want to hear of, and when.
#[derive(SimpleObject)]
pub struct NotificationSettings {
    /// Each kind in each way.
    preferences: Vec<NotificationPreference>,
    /// Null where there are none.
    quiet_hours: Option<QuietHours>,
    /// How often you are written a summary.
    digest: NotificationDigest,
}

impl From<View> for NotificationSettings {
    fn from(view: View) -> Self {
        let preference = |kind: NotificationKind, channel: NotificationChannel| {
            let locked = channel == NotificationChannel::Email && kind.is_essential();
            let (label, label_en) = kind.label();
            let enabled = locked || view.choices.is_on(kind, channel);
            NotificationPreference { kind, label, label_en, channel, enabled, locked }
        };
        let all = NotificationKind::ALL.into_iter();
        let clock = |minute: i16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let hours = view.reader.quiet_from.zip(view.reader.quiet_to);
        Self {
            preferences: all
                .flat_map(|kind| NotificationChannel::ALL.map(|channel| preference(kind, channel)))
                .collect(),
            quiet_hours: hours.map(|(from, to)| QuietHours {
                from: clock(from),
                to: clock(to),
                time_zone: view.reader.time_zone.clone(),
            }),
            digest: NotificationDigest::named(&view.reader.digest),
        }
    }
}

/// Hours without letters.
#[derive(InputObject)]
pub struct QuietHoursInput {
    /// Their beginning, as `22:00`.
    from: String,
    /// Their end, as `07:00`; the next day where it is earlier.
    to: String,
    /// Whose clock: a name of the IANA database; `Europe/Paris` by default.
    time_zone: Option<String>,
}

/// Minutes after midnight at both ends, and whose.
fn hours(input: &QuietHoursInput) -> Result<(i16, i16, Tz)> {
    use chrono::Timelike as _;
    let minute = |text: &str| {
        let time = NaiveTime::parse_from_str(text.trim(), "%H:%M").ok()?;
        i16::try_from(time.hour() * 60 + time.minute()).ok()
    };
    let zone = input.time_zone.as_ref().map_or(Ok(HOME), |name| name.parse::<Tz>());
    match (minute(&input.from), minute(&input.to), zone) {
        (Some(from), Some(to), Ok(zone)) if from != to => Ok((from, to, zone)),
        _ => Err(Error::bad_input(
            "Donnez deux heures différentes, par exemple 22:00 et 07:00, et un fuseau comme Europe/Paris.",
            "Give two different times, for instance 22:00 and 07:00, and a zone such as Europe/Paris.",
        )),
    }
}

#[derive(Default)]
pub struct SettingsQuery;

#[Object]
impl SettingsQuery {
    /// What you want to hear of in your organization, and when.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn notification_settings(&self, ctx: &Context<'_>) -> GqlResult<NotificationSettings> {
        Ok(Box::pin(service::view(ctx.app(), &ctx.actor()?)).await?.into())
    }
}

#[derive(Default)]
pub struct SettingsMutation;

#[Object]
impl SettingsMutation {
    /// Decides whether you are told of something in some way.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn set_notification_preference(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is about.")] kind: NotificationKind,
        #[graphql(desc = "In which way.")] channel: NotificationChannel,
        #[graphql(desc = "Whether you are told.")] enabled: bool,
    ) -> GqlResult<NotificationSettings> {
        Ok(Box::pin(service::choose(ctx.app(), &ctx.actor()?, kind, channel, enabled)).await?.into())
    }

    /// Sets the hours in which you are sent no letters about notifications, or takes them away.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn set_quiet_hours(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hours; null for none.")] hours: Option<QuietHoursInput>,
    ) -> GqlResult<NotificationSettings> {
        let wanted = hours.as_ref().map(self::hours).transpose()?;
        let change = |reader: &mut crate::readers::Reader| {
            (reader.quiet_from, reader.quiet_to) = (wanted.map(|hours| hours.0), wanted.map(|hours| hours.1));
            if let Some((.., zone)) = wanted {
                zone.name().clone_into(&mut reader.time_zone);
            }
        };
        Ok(Box::pin(service::change(ctx.app(), &ctx.actor()?, change)).await?.into())
    }

    /// Sets how often you are written a summary of what you have not read.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn set_notification_digest(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How often.")] digest: NotificationDigest,
    ) -> GqlResult<NotificationSettings> {
        let change = |reader: &mut crate::readers::Reader| digest.name().clone_into(&mut reader.digest);
        Ok(Box::pin(service::change(ctx.app(), &ctx.actor()?, change)).await?.into())
    }
}
