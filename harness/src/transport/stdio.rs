//! stdio: one JSON object a line; stderr is for people and is kept.

use std::process::Stdio;
use std::time::{Duration, Instant};

use fincert_schemas::bridge::MAX_FRAME_BYTES;
use fincert_schemas::run::Reason;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

use super::{ConnectError, Guard, HEAD, Incoming, QUEUE, Wire};

/// A line on stderr longer than this is cut.
const STDERR_LINE: usize = 4096;
/// How long a program may outlive its standard output, and its stderr may outlive the program (a child of its own
/// may hold it open).
const LINGER: Duration = Duration::from_secs(1);

/// Starts the program and connects to its standard streams.
pub fn spawn(words: &[String]) -> Result<Wire, ConnectError> {
    let (program, arguments) =
        words.split_first().ok_or_else(|| ConnectError::new(Reason::TargetNotFound, "an empty command"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| ConnectError::new(Reason::TargetNotFound, format!("{program}: {error}")))?;
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(ConnectError::new(Reason::TargetNotFound, format!("{program}: no standard streams")));
    };
    let (outgoing, mut frames) = mpsc::channel::<Vec<u8>>(QUEUE);
    let (sender, incoming) = mpsc::channel(QUEUE);
    let writer = tokio::spawn(async move {
        while let Some(mut frame) = frames.recv().await {
            frame.push(b'\n');
            // A target that no longer reads is noticed by its silence or its end.
            if stdin.write_all(&frame).await.is_err() || stdin.flush().await.is_err() {
                break;
            }
        }
    });
    let mut errors = tokio::spawn(read_stderr(stderr, sender.clone()));
    let stderr_task = errors.abort_handle();
    let reader = tokio::spawn(async move {
        read_lines(stdout, &sender).await;
        // Its output has ended; a program that closes it and goes on is as gone as one that exits.
        let status = tokio::time::timeout(LINGER, child.wait()).await;
        let text = match status {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it closed its standard output".to_owned(),
        };
        let _ = tokio::time::timeout(LINGER, &mut errors).await;
        let _ = sender.send((Instant::now(), Incoming::Gone(text))).await;
    });
    let tasks = vec![writer.abort_handle(), reader.abort_handle(), stderr_task];
    Ok(Wire { outgoing, incoming, guard: Guard { process: group, tasks } })
}

async fn read_lines(stdout: impl AsyncRead + Unpin, sender: &mpsc::Sender<(Instant, Incoming)>) {
    let mut reader = BufReader::with_capacity(64 * 1024, stdout);
    let mut line = Vec::new();
    let mut size = 0u64;
    while let Ok(chunk) = reader.fill_buf().await {
        if chunk.is_empty() {
            break;
        }
        let (part, ends) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end, true),
            None => (chunk.len(), false),
        };
        size += part as u64;
        let room = MAX_FRAME_BYTES.saturating_sub(line.len());
        line.extend_from_slice(&chunk[..part.min(room)]);
        reader.consume(part + usize::from(ends));
        if ends && !hand_over(&mut line, &mut size, sender).await {
            return;
        }
    }
    let _ = hand_over(&mut line, &mut size, sender).await;
}

/// Hands a whole line over; whether anybody still listens.
async fn hand_over(line: &mut Vec<u8>, size: &mut u64, sender: &mpsc::Sender<(Instant, Incoming)>) -> bool {
    let mut frame = std::mem::take(line);
    let bytes = std::mem::take(size);
    if frame.last() == Some(&b'\r') {
        frame.pop();
    }
    if frame.iter().all(u8::is_ascii_whitespace) {
        return true;
    }
    let incoming = if bytes > MAX_FRAME_BYTES as u64 {
        frame.truncate(HEAD);
        frame.shrink_to_fit();
        Incoming::TooLarge { bytes, head: frame }
    } else {
        Incoming::Frame(frame)
    };
    sender.send((Instant::now(), incoming)).await.is_ok()
}

async fn read_stderr(stderr: impl AsyncRead + Unpin, sender: mpsc::Sender<(Instant, Incoming)>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        let Ok(chunk) = reader.fill_buf().await else { return };
        if chunk.is_empty() {
            break;
        }
        let (part, ends) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end, true),
            None => (chunk.len(), false),
        };
        let room = STDERR_LINE.saturating_sub(line.len());
        line.extend_from_slice(&chunk[..part.min(room)]);
        reader.consume(part + usize::from(ends));
        if ends {
            let text = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
            if sender.send((Instant::now(), Incoming::Stderr(text))).await.is_err() {
                return;
            }
        }
    }
    if !line.is_empty() {
        let text = String::from_utf8_lossy(&line).into_owned();
        let _ = sender.send((Instant::now(), Incoming::Stderr(text))).await;
    }
}
