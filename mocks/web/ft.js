// `ft` over a platform's own WebRTC: a browser's, or a package's in Node. So far it has `ft.webrtc`, clauses 3.1 and
// 3.2 of the specification.
//
// The shim maps and does not mend. Arguments go to the platform as they came, and what the platform does wrong stays
// to be seen. Only the form is the specification's: promises where it says so, wrappers of its few properties, events
// as plain objects.

// The parts of a platform that `createFt` takes: `RTCPeerConnection`, `MediaStream` and `mediaDevices`, named as in a
// browser. `mediaDevices` is undefined in a page that is not a secure context.
export function createFt(platform) {
  return { webrtc: webrtc(platform) };
}

function webrtc({ RTCPeerConnection, mediaDevices, MediaStream }) {
  const media = mediaWrappers(MediaStream);
  return {
    // A second argument, which some examples of the specification give, has no meaning in the standard any more.
    createRTCPeerConnection: async (options) => connection(new RTCPeerConnection(options), media),
    mediaDevices: devices(mediaDevices, media),
  };
}

// Clause 3.1.

function devices(native, media) {
  const present = () => {
    if (native) return native;
    throw new TypeError('no mediaDevices: the page is not a secure context (https, or http on localhost)');
  };
  return {
    enumerateDevices: async () => (await present().enumerateDevices()).map(device),
    // The standard's function is synchronous, the specification's is not.
    getSupportedConstraints: async () => ({ ...present().getSupportedConstraints() }),
    getUserMedia: async (constraints) => media.stream(await present().getUserMedia(constraints)),
  };
}

function device({ deviceId, kind, label, groupId }) {
  return { deviceId, kind, label, groupId };
}

// Wrappers of streams and tracks. A native object has one wrapper, so that identity is kept.
function mediaWrappers(MediaStream) {
  const streams = new WeakMap();
  const tracks = new WeakMap();
  const natives = new WeakMap();
  const lone = new WeakMap();

  const stream = (native) =>
    once(streams, native, () => ({
      streamId: native.id,
      getTracks: async () => native.getTracks().map((each) => track(each, native)),
    }));

  const track = (native, home) =>
    once(tracks, native, () => {
      const wrapper = {
        id: native.id,
        kind: native.kind,
        get readyState() {
          return native.readyState;
        },
        stop: () => native.stop(),
      };
      natives.set(wrapper, { native, home });
      return wrapper;
    });

  return {
    stream,
    // The native track behind a wrapper, with the stream that it was taken from.
    native(wrapper) {
      const known = isObject(wrapper) && natives.get(wrapper);
      if (known) return known;
      throw new TypeError('not a track that getTracks() of a stream gave');
    },
    // The streams of a `track` event. A peer may send a track that belongs to no stream (RFC 8830: msid "-"). The
    // specification has no other way to a track than its stream, so such a track gets one of its own.
    received(event) {
      const { streams: all, track: only } = event;
      const natives = all.length ? Array.from(all) : [once(lone, only, () => new MediaStream([only]))];
      return natives.map(stream);
    },
  };
}

function once(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

// Clause 3.2. Properties are read from the platform at the moment they are asked for.
function connection(native, media) {
  const { addEventListener, removeEventListener } = events(native, media);
  return {
    get canTrickleIceCandidates() {
      return native.canTrickleIceCandidates;
    },
    // As the specification prints it.
    get conectionState() {
      return native.connectionState;
    },
    get currentLocalDescription() {
      return description(native.currentLocalDescription);
    },
    get currentRemoteDescription() {
      return description(native.currentRemoteDescription);
    },
    get iceConnectionState() {
      return native.iceConnectionState;
    },
    get iceGatheringState() {
      return native.iceGatheringState;
    },
    get localDescription() {
      return description(native.localDescription);
    },
    get peerIdentity() {
      return native.peerIdentity;
    },
    get remoteDescription() {
      return description(native.remoteDescription);
    },
    get signalingState() {
      return native.signalingState;
    },

    createOffer: async (options) => description(await native.createOffer(options)),
    createAnswer: async (options) => description(await native.createAnswer(options)),
    setLocalDescription: async (given) => void (await native.setLocalDescription(given)),
    setRemoteDescription: async (given) => void (await native.setRemoteDescription(given)),
    addIceCandidate: async (given) => void (await native.addIceCandidate(given)),
    getConfiguration: async () => native.getConfiguration(),
    // The specification's addTrack names no stream, and yet the other end shall see `streams[0].streamId`: a track
    // travels with the stream that it was taken from.
    addTrack: async (wrapper) => {
      const { native: track, home } = media.native(wrapper);
      native.addTrack(track, home);
    },
    close: () => native.close(),

    addEventListener,
    removeEventListener,
  };
}

function description(native) {
  return native && { type: native.type, sdp: native.sdp };
}

// The events of clause 3.2, and what of the platform's event each carries.
const EVENTS = {
  icecandidate: (event) => ({ candidate: candidate(event.candidate) }),
  iceconnectionstatechange: (event, native) => ({
    iceConnectionState: native.iceConnectionState,
    timeStamp: event.timeStamp,
  }),
  negotiationneeded: () => ({}),
  signalingstatechange: (event, native) => ({ signalingState: native.signalingState }),
  track: (event, native, media) => ({ streams: media.received(event) }),
};

// The end of gathering is null, as the platform gives it.
function candidate(native) {
  if (!native) return native;
  const { candidate, sdpMid, sdpMLineIndex, address, type } = native;
  return { candidate, sdpMid, sdpMLineIndex, address, type };
}

// As an EventTarget does it: a listener that is there already is not added again, and types that no event has are
// accepted and never fire.
function events(native, media) {
  const relays = {};
  Object.keys(EVENTS).forEach((type) => (relays[type] = new Map()));
  const known = (type) => Object.prototype.hasOwnProperty.call(relays, type);
  return {
    addEventListener(type, listener) {
      if (typeof listener !== 'function') throw new TypeError('addEventListener: the listener is not a function');
      if (!known(type) || relays[type].has(listener)) return;
      const relay = (event) => listener(EVENTS[type](event, native, media));
      relays[type].set(listener, relay);
      native.addEventListener(type, relay);
    },
    removeEventListener(type, listener) {
      if (!known(type) || !relays[type].has(listener)) return;
      native.removeEventListener(type, relays[type].get(listener));
      relays[type].delete(listener);
    },
  };
}

function isObject(value) {
  return typeof value === 'object' && value !== null;
}
