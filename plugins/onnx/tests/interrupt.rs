//! An inference nobody waits for any more ends.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use keroxio_plugin_sdk::PluginError;
use ort::value::TensorRef;
use tokio::sync::oneshot;

#[tokio::test]
async fn work_ends_when_the_one_who_waits_for_it_leaves() {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIPPED: ORT_DYLIB_PATH is not set, run `make test`");
        return;
    }
    let model =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../images-ort/model/car-matte.onnx")).unwrap();
    let mut session = keroxio_onnx::session(&model).unwrap();
    let side = usize::try_from(session.inputs()[0].dtype().tensor_shape().unwrap()[2]).unwrap();
    let pixels = vec![0.5_f32; 3 * side * side];
    let (begun, has_begun) = oneshot::channel();
    let (ended, has_ended) = oneshot::channel();
    let waiting = tokio::spawn(keroxio_onnx::interruptible(move || {
        let mut begun = Some(begun);
        // Without an interruption this would go on for ever.
        let reason = loop {
            let tensor = TensorRef::from_array_view(([1, 3, side, side], pixels.as_slice())).unwrap();
            if let Err(e) = keroxio_onnx::run(&mut session, ort::inputs![tensor], |_| Ok(())) {
                break e;
            }
            if let Some(begun) = begun.take() {
                begun.send(()).unwrap();
            }
        };
        ended.send(reason.to_string()).unwrap();
        Err::<(), PluginError>(reason)
    }));
    has_begun.await.unwrap();
    waiting.abort();
    let reason = tokio::time::timeout(Duration::from_secs(30), has_ended).await.unwrap().unwrap();
    assert!(reason.contains("terminate"), "{reason}");
}
