import Foundation
import HTTPServer
import Support

/// The bytes of one input, taken from the front: harnesses of several parsers choose by the first byte.
struct Input {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: UnsafeRawBufferPointer) { rest = Array(bytes)[...] }
    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var bytes: [UInt8] { Array(rest) }
    var text: String { String(decoding: rest, as: UTF8.self) }
    var isEmpty: Bool { rest.isEmpty }

    /// 0 at the end.
    mutating func byte() -> Int { Int(rest.popFirst() ?? 0) }

    mutating func take(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// The input in parts, cut at zero bytes.
    func parts(_ count: Int) -> [[UInt8]] {
        let parts = rest.split(separator: 0, maxSplits: count - 1, omittingEmptySubsequences: false)
        return (0..<count).map { $0 < parts.count ? Array(parts[$0]) : [] }
    }
}

/// Reports what must not happen; libFuzzer keeps the input.
func finding(_ text: String) -> Never {
    FileHandle.standardError.write(Data("finding: \(text)\n".utf8))
    abort()
}

func require(_ condition: Bool, _ text: @autoclosure () -> String) {
    if !condition { finding(text()) }
}

/// Runs a parser, which may refuse the bytes; then it has to throw a `Problem` that blames them and not itself.
func refusable<Value>(_ body: () throws -> Value) -> Value? {
    do {
        return try body()
    } catch {
        let problem = (error as? Problem) ?? (error as? HTTPRefusal)?.problem
        guard let problem else { finding("an error that is no Problem: \(error)") }
        require(problem.category != .internal, "an internal error: \(problem)")
        if isShown { FileHandle.standardError.write(Data("refused: \(problem)\n".utf8)) }
        require(!problem.detail.isEmpty, "a Problem that says nothing: \(problem)")
        require(
            problem.description.utf8.count < 64 << 10, "a Problem of \(problem.description.utf8.count) bytes")
        return nil
    }
}

/// Whether refusals are written out: BURN_FUZZ_SHOW=1, to see what the generators reach.
private let isShown = ProcessInfo.processInfo.environment["BURN_FUZZ_SHOW"] != nil

/// Where parsers of files find their input; in memory where /dev/shm is. Removed at the end.
enum Scratch {
    static let folder: String = {
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        let path = base + "/burn-fuzz-\(getpid())"
        mkdir(path, 0o700)
        atexit { try? FileManager.default.removeItem(atPath: Scratch.folder) }
        return path
    }()

    /// Replaces the file of this name.
    static func write(_ bytes: [UInt8], to name: String = "input") -> String {
        let path = folder + "/" + name
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0, Foundation.write(descriptor, bytes, bytes.count) == bytes.count else {
            finding("\(path) cannot be written")
        }
        close(descriptor)
        return path
    }
}
