//! The only code that knows pingora and hyper: one straight path from socket to socket.
