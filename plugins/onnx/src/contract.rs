//! What goes into a model and comes out of it, checked before it is used.

use keroxio_plugin_sdk::PluginError;
use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

/// The first input and output that a kind of model must have; -1 is a side that may have any length.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// As model cards say it.
    pub name: &'static str,
    /// Whether the input is bytes; otherwise it is 32-bit floats.
    pub bytes: bool,
    pub input: &'static [i64],
    pub output: &'static [i64],
}

/// Every kind of model that some plugin takes.
pub const CONTRACTS: [Contract; 5] = [
    Contract { name: "plate-corners", bytes: false, input: &[-1, 3, -1, -1], output: &[-1, 9, -1, -1] },
    Contract { name: "plate-slots", bytes: false, input: &[-1, 3, 64, 192], output: &[-1, -1, 37] },
    Contract { name: "plate-slots-cct", bytes: true, input: &[-1, 64, 128, 3], output: &[-1, -1, 37] },
    Contract { name: "ppocr-detection", bytes: false, input: &[-1, 3, -1, -1], output: &[-1, 1, -1, -1] },
    Contract { name: "ppocr-recognition", bytes: false, input: &[-1, 3, 48, -1], output: &[-1, -1, -1] },
];

impl Contract {
    pub fn named(name: &str) -> Option<Self> {
        CONTRACTS.into_iter().find(|contract| contract.name == name)
    }

    /// Whether a model is of this kind.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] that says what it has instead.
    pub fn check(&self, session: &Session) -> Result<(), PluginError> {
        let kind = if self.bytes { TensorElementType::Uint8 } else { TensorElementType::Float32 };
        fits(session.inputs(), kind, self.input, "input", self.name)?;
        fits(session.outputs(), TensorElementType::Float32, self.output, "output", self.name)
    }
}

fn fits(
    outlets: &[Outlet],
    kind: TensorElementType,
    wanted: &[i64],
    what: &str,
    name: &str,
) -> Result<(), PluginError> {
    let refused = |has: String| {
        PluginError::ModelUnavailable(format!("the {what} of a {name} is {kind:?} {wanted:?}, this model has {has}"))
    };
    let Some(outlet) = outlets.first() else { return Err(refused("none".to_owned())) };
    let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
        return Err(refused(format!("{:?}", outlet.dtype())));
    };
    let same = |(has, wanted): (&i64, &i64)| *has < 0 || *wanted < 0 || has == wanted;
    let fits = *ty == kind && shape.len() == wanted.len() && shape.iter().zip(wanted).all(same);
    if fits { Ok(()) } else { Err(refused(format!("{ty:?} {:?}", &shape[..]))) }
}
