//! Who may ask what the schema is: `KEROXIO_INTROSPECTION`.

use keroxio_core::{Authentication, Env, Error, ErrorCode};

/// Whose questions about the schema are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Introspection {
    /// `everyone`: it is documentation.
    #[default]
    Everyone,
    /// `signed-in`: members and API keys.
    SignedIn,
    /// `off`.
    Nobody,
}

impl Introspection {
    pub fn read(env: &Env) -> Self {
        match env.optional("KEROXIO_INTROSPECTION").as_deref() {
            None | Some("everyone") => Self::Everyone,
            Some("signed-in") => Self::SignedIn,
            Some("off") => Self::Nobody,
            Some(other) => {
                env.problem(format!("KEROXIO_INTROSPECTION: {other:?} is none of everyone, signed-in, off"));
                Self::Nobody
            }
        }
    }

    /// # Errors
    /// `INTROSPECTION_REFUSED`.
    pub fn check(self, who: Authentication) -> Result<(), Error> {
        match self {
            Self::Everyone => Ok(()),
            Self::SignedIn if matches!(who, Ok(Some(_))) => Ok(()),
            Self::SignedIn | Self::Nobody => Err(Error::new(
                ErrorCode("INTROSPECTION_REFUSED"),
                "Cette installation ne décrit pas son schéma ici : utilisez le fichier schema.graphql publié, ou connectez-vous.",
                "This installation does not describe its schema here: use the published file schema.graphql, or sign in.",
            )),
        }
    }
}
