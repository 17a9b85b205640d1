//! Random texts that open something, and what we store of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Characters of a token: 32 bytes in base64 without padding.
pub const LENGTH: usize = 43;

/// 256 bits for somebody to keep, and their hash. What is random needs no slow hash.
pub fn fresh() -> (String, String) {
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let hash = hash(&token);
    (token, hash)
}

pub fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Ten codes to write down, of fifty bits each: letters and digits that nobody mixes up.
pub fn recovery_codes() -> Vec<String> {
    const SIGNS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let sign = |_| char::from(SIGNS[rand::random_range(0..SIGNS.len())]);
    (0..10)
        .map(|_| {
            let code: String = (0..10).map(sign).collect();
            format!("{}-{}", &code[..5], &code[5..])
        })
        .collect()
}

/// However somebody typed it.
pub fn plain_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
