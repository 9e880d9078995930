import Foundation
import HTTPServer
import Logging
import Support
import WorkerProtocol

/// One key of the configuration: its name in the file, what it means, and how its text is read.
///
/// `limits.model_bytes` in the file is `BURND_LIMITS_MODEL_BYTES` in the environment.
struct Setting: Sendable {
    var key: String
    var help: String
    /// Nil stands for text that the key does not take; `expected` says what it does.
    var expected: String
    var isList = false
    var apply: @Sendable (inout Configuration, String) throws -> Void

    var environmentName: String {
        "BURND_" + key.uppercased().replacing(".", with: "_")
    }

    static let all: [Setting] = [
        Setting(key: "listen", help: "Address to listen on; port 0 takes a free one.", expected: "HOST:PORT")
        {
            $0.listen = try ListenAddress(parsing: $1)
        },
        text("data", "Folder of the database, the uploads and the results.", \.dataDirectory),
        text("worker", "The burn-worker program; default: the one beside burnd.", \.worker),
        count("slots", "Jobs and imports that run at the same time.", 1...64, \.slots),
        count("shutdown_seconds", "Seconds that open requests get to end.", 0...3600, \.shutdownSeconds),
        choice(
            "sandbox", "Confinement of workers: required, preferred or off.", "required, preferred or off",
            \.sandbox),
        choice(
            "device",
            "What jobs compute on: cpu, cuda (the first GPU), cuda-tf32 (the same, faster and less exact) or auto.",
            "cpu, cuda, cuda-tf32 or auto", \.device),
        choice(
            "log_level", "trace, debug, info, notice, warning, error or critical.", "a log level", \.logLevel),
        choice("log_format", "text, or json: one object a line.", "text or json", \.logFormat),
        count("http.threads", "Threads that serve connections.", 1...64, \.http.threads),
        count("http.connections", "Connections at the same time.", 1...65_000, \.http.connections),
        count(
            "http.header_seconds", "Seconds until a request's headers must be there.", 1...3600,
            \.http.headerSeconds),
        count(
            "http.idle_seconds", "Seconds without a byte before a connection is closed.", 1...3600,
            \.http.idleSeconds),
        count(
            "http.connections_per_address", "Connections from one address; 0 for no such limit.", 0...65_000,
            \.http.connectionsPerAddress),
        count("http.event_streams", "Event streams at the same time.", 1...65_000, \.http.eventStreams),
        count(
            "http.event_streams_per_client", "Event streams of one key, or of one address without a key.",
            1...65_000, \.http.eventStreamsPerClient),
        count(
            "http.header_bytes", "Bytes of a request's headers; more is answered 431.", 1024...1 << 20,
            \.http.headerBytes),
        count(
            "http.minimum_upload_rate", "Bytes a second that an upload must have on average.", 0...1 << 30,
            \.http.minimumUploadRate),
        text(
            "tls.certificate", "PEM file of the certificate and its chain; turns TLS on.", \.tls.certificate),
        text("tls.key", "PEM file of the certificate's private key.", \.tls.key),
        Setting(
            key: "insecure_http", help: "Listen beyond loopback without TLS.", expected: "true or false"
        ) { configuration, text in
            guard let value = Bool(text) else { throw Refused() }
            configuration.insecureHTTP = value
        },
        list("allowed_hosts", "Hosts that requests may name.", "host names without port", \.allowedHosts) {
            HostStage.isHost($0)
        },
        list(
            "trusted_proxies", "Proxies whose X-Forwarded-For is believed.", "numeric addresses",
            \.trustedProxies
        ) { HostStage.isHost($0.contains(":") ? "[\($0)]" : $0) },
        size("quotas.stored_bytes", "Uploads that one key may keep.", \.quotas.storedBytes),
        count("quotas.queued_jobs", "Jobs of one key that wait.", 0...1_000_000, \.quotas.queuedJobs),
        size(
            "quotas.upload_bytes_per_hour", "Bytes that one key may upload in an hour.",
            \.quotas.uploadBytesPerHour),
        size("limits.model_bytes", "Largest model upload.", \.limits.modelBytes),
        size("limits.dataset_bytes", "Largest data set upload.", \.limits.datasetBytes),
        size("limits.free_bytes", "Free disk space that uploads leave.", \.limits.freeBytes),
        count(
            "limits.disk_check_seconds", "Seconds between two looks at the free space.", 1...3600,
            \.limits.diskCheckSeconds),
        size("limits.request_bytes", "Largest JSON request body.", \.limits.requestBytes),
        count(
            "limits.queued_jobs", "Jobs that wait or run; more are answered 429.", 1...1_000_000,
            \.limits.queuedJobs),
        count("limits.images", "Images of a data set.", 1...1_000_000_000, \.limits.images.maximumImages),
        count("limits.classes", "Classes of a data set.", 1...1_000_000, \.limits.images.maximumClasses),
        count(
            "limits.image_side", "Width or height of one image, in pixels.", 1...65_535,
            \.limits.images.maximumSide),
        size("limits.image_bytes", "One encoded image.", \.limits.images.maximumEntryBytes),
        size("limits.packed_bytes", "A data set's decoded pixels.", \.limits.images.maximumPackedBytes),
        size("limits.worker_memory", "Memory of one worker.", \.limits.workerMemory),
        count(
            "limits.job_seconds", "Longest run of a job's worker.", 1...100_000_000, \.limits.jobSeconds),
        count(
            "limits.import_seconds", "Longest run of an upload's worker.", 1...100_000_000,
            \.limits.importSeconds),
        count(
            "limits.check_seconds", "Longest check of an upload before it is kept.", 1...86_400,
            \.limits.checkSeconds),
        size("limits.check_memory", "Memory of the worker that checks an upload.", \.limits.checkMemory),
        count(
            "limits.worker_silence_seconds", "Seconds without a sign of a worker's life until it is killed.",
            1...3600, \.limits.silenceSeconds),
        count("uploads.hours", "Hours that a resumable upload waits.", 1...8_760, \.uploads.hours),
        count(
            "uploads.unfinished", "Unfinished resumable uploads of one API key.", 1...10_000,
            \.uploads.unfinished),
        count(
            "pictures.workers", "Workers that make pictures of samples, beside those of jobs.", 1...16,
            \.pictures.workers),
        size("pictures.cache_bytes", "Pictures that are kept to be shown again.", \.pictures.cacheBytes),
        count(
            "retention.days", "Days that a finished job is kept; 0 is for good.", 0...36_500,
            \.retention.days),
        count(
            "retention.jobs", "Finished jobs that are kept; 0 is all of them.", 0...1_000_000_000,
            \.retention.jobs),
        count(
            "retention.tombstone_days", "Days that a removed job is answered 410.", 0...36_500,
            \.retention.tombstoneDays),
    ]

    /// Thrown inside `apply` for text that the key does not take.
    struct Refused: Error {}

    private typealias Path<Value> = WritableKeyPath<Configuration, Value> & Sendable

    private static func text(_ key: String, _ help: String, _ path: Path<String>) -> Setting {
        Setting(key: key, help: help, expected: "a text that is not empty") { configuration, text in
            guard !text.isEmpty else { throw Refused() }
            configuration[keyPath: path] = text
        }
    }

    private static func text(_ key: String, _ help: String, _ path: Path<String?>) -> Setting {
        Setting(key: key, help: help, expected: "a text that is not empty") { configuration, text in
            guard !text.isEmpty else { throw Refused() }
            configuration[keyPath: path] = text
        }
    }

    /// Entries parted by commas, or a list in the file.
    private static func list(
        _ key: String, _ help: String, _ expected: String, _ path: Path<[String]>,
        isValid: @escaping @Sendable (String) -> Bool
    ) -> Setting {
        Setting(key: key, help: help, expected: expected + ", parted by commas", isList: true) {
            configuration, text in
            let entries = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            guard entries.allSatisfy(isValid) else { throw Refused() }
            configuration[keyPath: path] = entries
        }
    }

    /// One of a type's names; `expected` lists them.
    private static func choice<Value: RawRepresentable<String> & SendableMetatype>(
        _ key: String, _ help: String, _ expected: String, _ path: Path<Value>
    ) -> Setting {
        Setting(key: key, help: help, expected: expected) { configuration, text in
            guard let value = Value(rawValue: text) else { throw Refused() }
            configuration[keyPath: path] = value
        }
    }

    private static func count(
        _ key: String, _ help: String, _ range: ClosedRange<Int>, _ path: Path<Int>
    ) -> Setting {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return Setting(key: key, help: help, expected: expected) { configuration, text in
            guard let value = Int(text), range.contains(value) else { throw Refused() }
            configuration[keyPath: path] = value
        }
    }

    private static func size(_ key: String, _ help: String, _ path: Path<Int>) -> Setting {
        Setting(key: key, help: help, expected: sizes) { configuration, text in
            guard let bytes = ByteSize.parse(text) else { throw Refused() }
            configuration[keyPath: path] = bytes
        }
    }

    private static func size(_ key: String, _ help: String, _ path: Path<Int?>) -> Setting {
        Setting(key: key, help: help, expected: sizes) { configuration, text in
            guard let bytes = ByteSize.parse(text), bytes > 0 else { throw Refused() }
            configuration[keyPath: path] = bytes
        }
    }

    private static let sizes = "a size such as 64 MiB or 2 GiB"
}
