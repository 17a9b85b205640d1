use async_trait::async_trait;

use crate::Manifest;

/// An ad to be put in other words.
#[derive(Debug, Clone)]
pub struct Draft {
    /// `fr` or `en`.
    pub language: String,
    /// How it is to speak, as an instruction in English.
    pub tone: String,
    pub body: String,
    /// Words that have to stay as they are.
    pub keep: Vec<String>,
    /// What was wrong with the attempt before.
    pub wrong: Vec<String>,
}

/// Why there is no other text.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// It does not accept the credential, the model or the question: an operator has to act.
    #[error("the language model refuses: {0}")]
    Refused(String),
    /// Anything that may pass on another attempt.
    #[error("the language model did not answer: {0}")]
    Failed(String),
}

/// Puts an ad in other words. What it answers is not believed: the caller checks every word.
#[async_trait]
pub trait TextRewriter: Send + Sync {
    fn manifest(&self) -> &Manifest;

    async fn rewrite(&self, draft: &Draft) -> Result<String, RewriteError>;
}
