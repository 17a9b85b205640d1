use keroxio_core::Env;

use crate::plans::PlanCode;

#[derive(Clone, Copy)]
pub struct Settings {
    /// What everybody has who pays for nothing, without end.
    pub default_plan: Option<PlanCode>,
}

impl Settings {
    pub fn read(env: &Env) -> Self {
        let name = env.optional("KEROXIO_DEFAULT_PLAN");
        let default_plan = name.as_deref().and_then(PlanCode::named);
        if let Some(name) = name.filter(|_| default_plan.is_none()) {
            env.problem(format!("KEROXIO_DEFAULT_PLAN: {name:?} is none of FREE, PRO, ENTERPRISE"));
        }
        Self { default_plan }
    }
}
