//! What goes into a model and comes out of it, checked before it is used.

use keroxio_plugin_sdk::PluginError;
use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

/// A side that has to take any length: a model with a fixed batch would fail on the first photo with two plates.
const FREE: i64 = -1;
/// A side whose length is the model's own business.
const ANY: i64 = -2;

/// The first input and output that a kind of model must have.
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
pub const CONTRACTS: [Contract; 10] = [
    Contract { name: "plate-corners", bytes: false, input: &[FREE, 3, FREE, FREE], output: &[FREE, 9, FREE, FREE] },
    Contract { name: "plate-slots", bytes: false, input: &[FREE, 3, 64, 192], output: &[FREE, ANY, 37] },
    Contract { name: "plate-slots-cct", bytes: true, input: &[FREE, 64, 128, 3], output: &[FREE, ANY, 37] },
    Contract { name: "ppocr-detection", bytes: false, input: &[ANY, 3, FREE, FREE], output: &[ANY, 1, FREE, FREE] },
    Contract { name: "ppocr-recognition", bytes: false, input: &[ANY, 3, FREE, FREE], output: &[ANY, FREE, ANY] },
    Contract { name: "car-matte", bytes: false, input: &[ANY, 3, ANY, ANY], output: &[ANY, 1, ANY, ANY] },
    Contract { name: "car-angle", bytes: false, input: &[ANY, 3, ANY, ANY], output: &[ANY, 8] },
    Contract { name: "saliency-u2net", bytes: false, input: &[ANY, 3, ANY, ANY], output: &[ANY, 1, ANY, ANY] },
    Contract { name: "saliency-isnet", bytes: false, input: &[ANY, 3, ANY, ANY], output: &[ANY, 1, ANY, ANY] },
    Contract { name: "saliency-birefnet", bytes: false, input: &[ANY, 3, ANY, ANY], output: &[ANY, 1, ANY, ANY] },
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
    let same = |(has, wanted): (&i64, &i64)| match *wanted {
        ANY => true,
        FREE => *has < 0,
        length => *has == length,
    };
    let fits = *ty == kind && shape.len() == wanted.len() && shape.iter().zip(wanted).all(same);
    if fits { Ok(()) } else { Err(refused(format!("{ty:?} {:?}", &shape[..]))) }
}
