//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[
    Setting::plain(
        "KEROXIO_STORAGE_DIR",
        "",
        "Folder for files, shared by all processes. Required unless there is a bucket.",
    ),
    Setting::plain("KEROXIO_S3_BUCKET", "", "Bucket for files, in place of the folder."),
    Setting::plain("KEROXIO_S3_REGION", "auto", "Its region."),
    Setting::plain("KEROXIO_S3_ENDPOINT", "", "Address of an S3 server that is not Amazon's."),
    Setting::secret("KEROXIO_S3_ACCESS_KEY_ID", "", "Key of the bucket. Required with one."),
    Setting::secret("KEROXIO_S3_SECRET_ACCESS_KEY", "", "Secret of that key. Required with one."),
    Setting::plain(
        "KEROXIO_PUBLIC_URL",
        "http://127.0.0.1:8080",
        "Address of this API as seen from outside; links to files and pages begin with it.",
    ),
    Setting::plain(
        "KEROXIO_PIXEL_BUDGET",
        "150",
        "Megapixels that are decoded at the same time in one process, at most.",
    ),
];
