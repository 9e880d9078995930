import Foundation
import Logging
import Support

/// How log lines look.
enum LogFormat: String, Sendable, CaseIterable {
    case text, json

    func handler(_ label: String) -> any LogHandler {
        switch self {
        case .text: PlainLogHandler(inner: StreamLogHandler.standardError(label: label))
        case .json: JSONLogHandler(label: label)
        }
    }
}

/// One JSON object a line on standard error: `time`, `level`, `logger`, `message`, and each metadata value under
/// its own name (`job`, `request_id`, …).
struct JSONLogHandler: LogHandler {
    let label: String
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    /// Called with each line; a line is one write, so that lines of different threads do not mix.
    var write: @Sendable (Data) -> Void = { FileHandle.standardError.offer($0) }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = (metadataProvider?.get() ?? [:]).merging(metadata) { $1 }
            .merging(event.metadata ?? [:]) { $1 }
            .mapValues(Self.plain)
        if let error = event.error { fields["error"] = "\(error)" }
        fields["time"] = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        fields["level"] = event.level.rawValue
        fields["logger"] = label
        fields["message"] = event.message.description
        guard
            var line = try? JSONSerialization.data(
                withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes]
            ).plainJSON
        else {
            return
        }
        line.append(0x0A)
        write(line)
    }

    private static func plain(_ value: Logger.MetadataValue) -> Any {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): values.map(plain)
        case .dictionary(let values): values.mapValues(plain)
        }
    }
}
