//! Notes 6: RTCP reaches an application only through an interceptor, and the crate's statistics of the other end stay
//! 0. The tap sees each packet nearest to the wire, decrypted, and all evidence comes from it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::goodbye::Goodbye;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use tokio::sync::Notify;

use super::outlet::Outlet;
use crate::evidence::Book;
use crate::sync::lock;

/// Nearer to the wire than any interceptor of the crate.
pub(super) const SLOT: usize = 500;

/// What the tap hands on.
#[derive(Debug)]
pub(super) struct Drain {
    pub(super) book: Arc<Book>,
    pub(super) outlets: Mutex<Vec<Arc<Outlet>>>,
    /// A BYE of our own has passed.
    pub(super) goodbye: Notify,
    /// Media that comes is dropped here.
    deaf: bool,
}

impl Drain {
    pub(super) fn new(book: Arc<Book>, deaf: bool) -> Self {
        Self { book, outlets: Mutex::default(), goodbye: Notify::new(), deaf }
    }

    fn rtcp(&self, packet: &dyn rtcp::Packet) {
        let packet = packet.as_any();
        let reports = |reports: &[ReceptionReport]| {
            for report in reports {
                self.book.reported(report.ssrc, report.last_sequence_number, report.total_lost);
            }
        };
        if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
            reports(&report.reports);
        } else if let Some(report) = packet.downcast_ref::<SenderReport>() {
            reports(&report.reports);
        } else if packet.is::<Goodbye>() {
            self.book.bye();
        } else if let Some(pli) = packet.downcast_ref::<PictureLossIndication>() {
            self.keyframe(&[pli.media_ssrc]);
        } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
            let ssrcs: Vec<u32> = fir.fir.iter().map(|entry| entry.ssrc).collect();
            self.keyframe(&ssrcs);
        }
    }

    fn keyframe(&self, ssrcs: &[u32]) {
        self.book.keyframe_request();
        let asked = |outlet: &&Arc<Outlet>| ssrcs.contains(&outlet.ssrc());
        lock(&self.outlets).iter().filter(asked).for_each(|outlet| outlet.keyframe());
    }

    fn sent(&self, packet: &rtc::rtp::Packet) {
        let ssrc = packet.header.ssrc;
        let kind = lock(&self.outlets).iter().find(|outlet| outlet.ssrc() == ssrc).map(|outlet| outlet.kind());
        if let Some(kind) = kind {
            self.book.sent(ssrc, kind, packet.header.sequence_number);
        }
    }
}

/// See the module.
pub(super) struct Tap {
    drain: Arc<Drain>,
    inward: VecDeque<TaggedPacket>,
    outward: VecDeque<TaggedPacket>,
}

impl Tap {
    pub(super) fn new(drain: &Arc<Drain>) -> Self {
        Self { drain: Arc::clone(drain), inward: VecDeque::new(), outward: VecDeque::new() }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, tagged: TaggedPacket) -> Result<(), Error> {
        self.drain.book.packet();
        match &tagged.message.packet {
            Packet::Rtp(_) if self.drain.deaf => return Ok(()),
            Packet::Rtp(packet) => {
                let header = &packet.header;
                self.drain.book.received(
                    header.ssrc,
                    header.payload_type,
                    header.sequence_number,
                    packet.payload.len(),
                );
                lock(&self.drain.outlets).iter().for_each(|outlet| outlet.echo(packet));
            }
            Packet::Rtcp(packets) => packets.iter().for_each(|packet| self.drain.rtcp(packet.as_ref())),
            _ => {}
        }
        self.inward.push_back(tagged);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inward.pop_front()
    }

    fn handle_write(&mut self, tagged: TaggedPacket) -> Result<(), Error> {
        match &tagged.message.packet {
            Packet::Rtp(packet) => self.drain.sent(packet),
            Packet::Rtcp(packets) if packets.iter().any(|packet| packet.as_any().is::<Goodbye>()) => {
                self.drain.goodbye.notify_one();
            }
            _ => {}
        }
        self.outward.push_back(tagged);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outward.pop_front()
    }
}

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}
