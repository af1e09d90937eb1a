package wire

// PathWebSocket is where the collector accepts a WebSocket and returns one message, for network.web.
const PathWebSocket = "api/v1/websocket"

// MaxWebSocketBytes is the largest message it sends back.
const MaxWebSocketBytes = 1 << 10
