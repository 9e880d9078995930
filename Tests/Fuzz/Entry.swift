import Foundation

/// libFuzzer's entry: calls the harness that `BURN_FUZZ_TARGET` names with one input. `scripts/fuzz` builds and runs
/// this program; the harnesses are in the files beside.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    Harness.current(Input(UnsafeRawBufferPointer(start: bytes, count: count)))
    return 0
}

enum Harness {
    typealias Body = @Sendable (Input) -> Void

    static let all: [String: Body] = [
        "pt2": Models.pt2, "onnx": Models.onnx, "weights": Models.weights,
        "archive": Datasets.archive, "layout": Datasets.layout, "image": Images.decode,
        "request": Requests.read, "http": HTTPConnection.exchange, "webhook": WebhookAnswers.read,
    ].merging(Structured.all) { first, _ in first }

    static let current: Body = {
        let name = ProcessInfo.processInfo.environment["BURN_FUZZ_TARGET"] ?? "none"
        guard let body = all[name] else {
            finding("BURN_FUZZ_TARGET is \(name), not one of \(all.keys.sorted().joined(separator: ", "))")
        }
        if Structured.all[name] != nil { Structured.checkUsualFiles() }
        return body
    }()
}
