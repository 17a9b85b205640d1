use crate::{Actor, App, Bucket, ClientAddress, Credential, Env};

/// How much may be asked of the API, in points: about one per field, times the rows of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Points that may be spent at once.
    pub capacity: u32,
    /// Points that come back each second.
    pub per_second: u32,
}

/// Those of organizations, and of addresses from which nobody signed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllLimits {
    organization: Limits,
    anonymous: Limits,
}

impl AllLimits {
    pub fn read(env: &Env) -> Self {
        let positive = |name: &str, default: u32| env.parsed(name, default).max(1);
        Self {
            organization: Limits {
                capacity: positive("KEROXIO_COST_CAPACITY", 20_000),
                per_second: positive("KEROXIO_COST_PER_SECOND", 200),
            },
            anonymous: Limits {
                capacity: positive("KEROXIO_ANONYMOUS_COST_CAPACITY", 5_000),
                per_second: positive("KEROXIO_ANONYMOUS_COST_PER_SECOND", 50),
            },
        }
    }
}

impl Limits {
    pub fn of(app: &App, is_signed_in: bool) -> Self {
        let all = app.limits();
        if is_signed_in { all.organization } else { all.anonymous }
    }

    pub fn bucket(self) -> Bucket {
        Bucket { capacity: self.capacity.into(), per_second: self.per_second.into() }
    }

    /// The buckets that somebody's requests are taken from, each by its name, their own first; none for whoever is
    /// neither signed in nor comes from anywhere. Guests of one address share what strangers there have, however many
    /// they are.
    pub fn buckets(app: &App, actor: Option<&Actor>, address: Option<ClientAddress>) -> Vec<(String, Self)> {
        let of_address = || {
            let name = address.map(|address| format!("cost-from:{}", address.network()));
            name.map(|name| (name, Self::of(app, false)))
        };
        let Some(actor) = actor else { return of_address().into_iter().collect() };
        let organization = (format!("cost:{}", actor.org_id.simple()), Self::of(app, true));
        let key = match (actor.credential, actor.limits) {
            (Credential::ApiKey(id), Some(limits)) => Some((format!("cost-key:{}", id.simple()), limits)),
            _ => None,
        };
        let shared = if actor.is_guest { of_address() } else { None };
        key.into_iter().chain([organization]).chain(shared).collect()
    }
}
