package wire

// PathWebSocket is the path at which the collector accepts a WebSocket and echoes
// one message, for network.web.
const PathWebSocket = "api/v1/websocket"

// MaxWebSocketBytes is the largest message that it echoes.
const MaxWebSocketBytes = 1 << 10
