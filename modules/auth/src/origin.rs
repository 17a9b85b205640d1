use async_graphql::Context;
use keroxio_core::{ClientAddress, ClientAgent};

/// Where a request comes from, and what the client calls itself.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub address: Option<ClientAddress>,
    pub agent: Option<String>,
}

impl Origin {
    pub fn of(ctx: &Context<'_>) -> Self {
        let agent = ctx.data_opt::<ClientAgent>().map(|agent| agent.0.chars().take(200).collect());
        Self { address: ctx.data_opt::<ClientAddress>().copied(), agent }
    }
}
