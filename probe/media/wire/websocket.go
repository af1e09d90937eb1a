package wire

// PathWebSocket is where the collector takes an upgrade to a WebSocket and
// sends one message back, for network.web.
const PathWebSocket = "api/v1/websocket"

// MaxWebSocketBytes is the largest message it sends back.
const MaxWebSocketBytes = 1 << 10
