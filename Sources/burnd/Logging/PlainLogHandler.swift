import Logging
import Support

/// Keeps every entry in its line: what others wrote neither begins a line that looks like one of ours nor moves the cursor.
struct PlainLogHandler: LogHandler {
    var inner: any LogHandler

    var logLevel: Logger.Level {
        get { inner.logLevel }
        set { inner.logLevel = newValue }
    }
    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = Self.plain(newValue) }
    }
    var metadataProvider: Logger.MetadataProvider? {
        get { inner.metadataProvider }
        set { inner.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue.map(Self.plain) }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = Logger.Message(stringLiteral: event.message.description.inOneLine)
        var metadata = event.metadata.map(Self.plain)
        // As text here: its own description may have lines.
        if let error = event.error {
            metadata = (metadata ?? [:]).merging(["error": "\("\(error)".inOneLine)"]) { $1 }
            event.error = nil
        }
        event.metadata = metadata
        inner.log(event: event)
    }

    private static func plain(_ metadata: Logger.Metadata) -> Logger.Metadata {
        Logger.Metadata(uniqueKeysWithValues: metadata.map { ($0.key, plain($0.value)) })
    }

    private static func plain(_ value: Logger.MetadataValue) -> Logger.MetadataValue {
        switch value {
        case .string(let text): .string(text.inOneLine)
        case .stringConvertible(let value): .string(value.description.inOneLine)
        case .array(let values): .array(values.map(plain))
        case .dictionary(let values): .dictionary(plain(values))
        }
    }
}
