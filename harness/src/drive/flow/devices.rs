//! mediaDevices, streams and tracks, without a call (3.1).

use serde_json::{Value, json};

use super::stage::{Stage, handle_of};
use crate::drive::session::Lost;

/// What getUserMedia is asked for, in turn.
const WISHES: [(bool, Option<bool>); 4] = [(true, Some(true)), (true, Some(false)), (false, Some(true)), (true, None)];

pub(super) async fn drive(stage: &mut Stage<'_, '_, '_>) -> Result<(), Lost> {
    stage.call(None, "ft.webrtc.mediaDevices.enumerateDevices", Vec::new(), None).await?;
    stage.call(None, "ft.webrtc.mediaDevices.getSupportedConstraints", Vec::new(), None).await?;
    for (audio, video) in WISHES {
        let wish = match video {
            Some(video) => json!({"audio": audio, "video": video}),
            None => json!({"audio": audio}),
        };
        stream(stage, wish, None).await?;
    }
    stream(stage, json!({"video": true}), None).await?;
    stage.call(None, "ft.webrtc.mediaDevices.getUserMedia", vec![json!({})], Some("neither")).await?;
    // A second one while the first is open: both outcomes conform (rulings 3.1).
    let first = open(stage, json!({"audio": true, "video": true}), None).await?;
    stream(stage, json!({"audio": true, "video": true}), Some("again")).await?;
    stop(stage, &first).await
}

/// One stream, from getUserMedia to stop.
async fn stream(stage: &mut Stage<'_, '_, '_>, wish: Value, purpose: Option<&str>) -> Result<(), Lost> {
    let tracks = open(stage, wish, purpose).await?;
    stop(stage, &tracks).await
}

/// getUserMedia and getTracks; the tracks' handles.
async fn open(stage: &mut Stage<'_, '_, '_>, wish: Value, purpose: Option<&str>) -> Result<Vec<String>, Lost> {
    let stream = stage.call(None, "ft.webrtc.mediaDevices.getUserMedia", vec![wish], purpose).await?;
    let Some(handle) = handle_of(&stream.value).filter(|_| stream.worked()) else { return Ok(Vec::new()) };
    let tracks = stage.call(Some(&handle), "MediaStream.getTracks", Vec::new(), None).await?;
    Ok(tracks.value.as_array().into_iter().flatten().take(8).filter_map(handle_of).collect())
}

async fn stop(stage: &mut Stage<'_, '_, '_>, tracks: &[String]) -> Result<(), Lost> {
    for track in tracks {
        stage.call(Some(track), "MediaStreamTrack.stop", Vec::new(), None).await?;
    }
    Ok(())
}
