//! What went wrong with a request, as the client reads it: a status and `{"error": …}`, with the parameter's name.

use crate::analyse::AnalyseError;
use crate::past::PastError;
use crate::store::StoreError;
use axum::http::StatusCode;
use std::borrow::Cow;

/// Why a request is not answered.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) message: String,
    /// The parameter or key that is wrong.
    pub(super) parameter: Option<Cow<'static, str>>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), parameter: None }
    }

    /// A parameter that cannot be what it should.
    pub(super) fn parameter(name: impl Into<Cow<'static, str>>, why: impl std::fmt::Display) -> Self {
        let name = name.into();
        Self { status: StatusCode::BAD_REQUEST, message: format!("{name} {why}"), parameter: Some(name) }
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> String {
        let mut body = serde_json::json!({ "error": self.message });
        if let (Some(name), Some(body)) = (&self.parameter, body.as_object_mut()) {
            body.insert("parametre".to_owned(), name.as_ref().into());
        }
        body.to_string()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        // The path of the file is nobody's business.
        let (status, message) = match error {
            StoreError::Locked(_) => (StatusCode::SERVICE_UNAVAILABLE, "La base est occupée ; réessayez"),
            StoreError::Damaged { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "La base est endommagée"),
            StoreError::Denied(_) => (StatusCode::SERVICE_UNAVAILABLE, "La base n'est pas accessible"),
            StoreError::Write { .. } | StoreError::Full { .. } => {
                (StatusCode::INSUFFICIENT_STORAGE, "La base ne peut pas être écrite")
            }
            StoreError::Sqlite { source, .. } if source.to_string().contains("interrupted") => {
                (StatusCode::SERVICE_UNAVAILABLE, "La question prend trop de temps ; réduisez la période")
            }
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "La base ne peut pas être lue"),
        };
        Self::new(status, message)
    }
}

impl From<AnalyseError> for Failure {
    fn from(error: AnalyseError) -> Self {
        match error {
            AnalyseError::Past(error) => error.into(),
            AnalyseError::TooLong { .. } => Self::new(StatusCode::BAD_REQUEST, "La période est trop longue"),
        }
    }
}

impl From<PastError> for Failure {
    fn from(error: PastError) -> Self {
        match error {
            PastError::Store(error) => error.into(),
            PastError::Moved(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "Des mesures viennent d'être archivées ; réessayez")
            }
            PastError::Archive(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "L'archive ne peut pas être lue"),
        }
    }
}
