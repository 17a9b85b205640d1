//! What the kinds of networks that cut out a car or a salient object take and give.

/// How a network wants its pixels, and what its answer means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    /// As model cards say it.
    contract: &'static str,
    /// Side of the square photo in pixels, for a network that takes any.
    pub side: usize,
    /// Whether values are shares of the photo's brightest one instead of shares of 255.
    pub by_brightest: bool,
    /// Taken off each channel, then divided by.
    pub mean: [f32; 3],
    pub spread: [f32; 3],
    /// Whether the answer is a logit.
    pub is_logit: bool,
    /// Whether the answer has to be stretched to reach from 0 to 1.
    pub is_stretched: bool,
}

const PLAIN: Kind = Kind {
    contract: "car-matte",
    side: 320,
    by_brightest: false,
    mean: [0.0; 3],
    spread: [1.0; 3],
    is_logit: false,
    is_stretched: false,
};

/// Means and deviations of ImageNet, with which U2-Net and BiRefNet were trained.
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

const KINDS: [Kind; 4] = [
    PLAIN,
    Kind {
        contract: "saliency-u2net",
        by_brightest: true,
        mean: IMAGENET.0,
        spread: IMAGENET.1,
        is_stretched: true,
        ..PLAIN
    },
    Kind { contract: "saliency-isnet", side: 1_024, by_brightest: true, mean: [0.5; 3], is_stretched: true, ..PLAIN },
    Kind {
        contract: "saliency-birefnet",
        side: 1_024,
        by_brightest: true,
        mean: IMAGENET.0,
        spread: IMAGENET.1,
        is_logit: true,
        is_stretched: true,
    },
];

impl Kind {
    pub fn named(contract: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.contract == contract)
    }

    /// The values of one channel for each byte, when the photo's brightest byte is `brightest`.
    pub fn table(&self, channel: usize, brightest: u8) -> [f32; 256] {
        let full = if self.by_brightest { f32::from(brightest.max(1)) } else { 255.0 };
        std::array::from_fn(|byte| (byte as f32 / full - self.mean[channel]) / self.spread[channel])
    }

    /// The answer of a network as probabilities.
    pub fn probabilities(&self, answer: &[f32]) -> Vec<f32> {
        let clean = |v: &f32| if v.is_finite() { *v } else { 0.0 };
        let mut values: Vec<f32> = answer.iter().map(clean).collect();
        if self.is_logit {
            values.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp()));
        }
        if self.is_stretched {
            let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            let reach = (high - low).max(1e-6);
            values.iter_mut().for_each(|v| *v = (*v - low) / reach);
        }
        values.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        values
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_contract_of_the_runtime() {
        for kind in KINDS {
            assert!(keroxio_onnx::Contract::named(kind.contract).is_some(), "{}", kind.contract);
        }
        assert!(Kind::named("plate-slots").is_none());
    }

    #[test]
    fn u2net_sees_shares_of_the_brightest_value() {
        let kind = Kind::named("saliency-u2net").unwrap();
        let red = kind.table(0, 200);
        assert!((red[200] - (1.0 - 0.485) / 0.229).abs() < 1e-6);
        assert!((red[0] + 0.485 / 0.229).abs() < 1e-6);
    }

    #[test]
    fn answers_become_probabilities() {
        let stretched = Kind::named("saliency-u2net").unwrap().probabilities(&[0.2, 0.4, f32::NAN]);
        assert_eq!((stretched[1], stretched[2]), (1.0, 0.0));
        assert_eq!(Kind::named("car-matte").unwrap().probabilities(&[0.2, 1.4]), [0.2, 1.0]);
        let logits = Kind::named("saliency-birefnet").unwrap().probabilities(&[-20.0, 0.0, 20.0]);
        assert!((logits[1] - 0.5).abs() < 1e-6 && logits[0] < 1e-6 && logits[2] > 1.0 - 1e-6);
    }
}
