import Foundation
import Testing
import ZipFixtures

/// Jobs that are long enough to be shared, and what they found.
enum SharedJobs {
    /// Drawn images of ten classes, as an npz: so many that some batches are left for others, the last a small one.
    static func images(_ count: Int) -> Data {
        var random = SeededGenerator(seed: 11)
        let noise = (0..<10).map { label in
            (0..<16_384).map { _ in UInt8(label * 20) + UInt8.random(in: 0..<64, using: &random) }
        }
        var pixels: [UInt8] = []
        for index in 0..<count {
            let start = Int.random(in: 0...16_384 - 3072, using: &random)
            pixels += noise[index % 10][start..<start + 3072]
        }
        let labels = (0..<count).map { UInt8($0 % 10) }
        return Data(
            ZipBuilder([
                .init("x.npy", array("(\(count), 32, 32, 3)", pixels)),
                .init("y.npy", array("(\(count),)", labels)),
            ]).build())
    }

    /// An array of bytes in NumPy's format, version 1.
    private static func array(_ shape: String, _ bytes: [UInt8]) -> [UInt8] {
        var header = "{'descr': '|u1', 'fortran_order': False, 'shape': \(shape), }"
        header += String(repeating: " ", count: 63 - (header.utf8.count + 10) % 64) + "\n"
        let length = UInt16(header.utf8.count)
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
            + Array(header.utf8)
            + bytes
    }

    /// Uploads the model and so many images.
    static func upload(_ count: Int, to service: ServiceProcess) throws -> [String: Any] {
        [
            "type": "scan",
            "model": try service.upload(Data(contentsOf: ServiceProcess.model), to: "models", name: "m"),
            "dataset": try service.upload(images(count), to: "datasets", name: "d.npz"),
        ]
    }

    static func submit(
        _ inputs: [String: Any], _ service: ServiceProcess, options: [String: Any]
    ) throws -> String {
        let fixed: [String: Any] = ["threads": 1, "accept_disagreement": true]
        return try service.submit(inputs.merging(["options": fixed.merging(options) { $1 }]) { $1 })
    }

    /// What does not depend on who did it.
    struct Result: Equatable {
        var verdict: NSDictionary
        /// With every distance and score.
        var samples, labels: Data
        /// Of each stage's cost, what was done.
        var work: [String: Double]
    }

    static func result(_ id: String, _ service: ServiceProcess) throws -> Result {
        let job = try service.ended(id)
        try #require(job["state"] as? String == "succeeded", "\(job)")
        #expect(job["attempt"] as? Int == 1, "\(job)")
        var work: [String: Double] = [:]
        for stage in try service.get("/v1/jobs/\(id)/metrics").json["costs"] as? [[String: Any]] ?? [] {
            for quantity in ["forwards", "gradients", "bytes_read"] {
                work["\(stage["phase"] ?? "") \(stage["stage"] ?? "") \(quantity)"] =
                    stage[quantity] as? Double
            }
        }
        return Result(
            verdict: try #require(job["verdict"] as? NSDictionary),
            samples: try service.get("/v1/jobs/\(id)/samples", "Accept: text/csv").body,
            labels: try service.get("/v1/jobs/\(id)/labels").body, work: work)
    }

    /// Parts that helpers have finished or lost so far.
    static func parts(_ result: String, _ service: ServiceProcess) throws -> Int {
        let text = try service.get("/metrics").text
        let name = "burn_job_parts_total{result=\"\(result)\"} "
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { Int($0.dropFirst(name.count)) } ?? 0
    }

    static func expectSame(_ result: Result, _ alone: Result) {
        #expect(result.verdict == alone.verdict)
        #expect(result.samples == alone.samples && alone.samples.count > 1_000)
        #expect(result.labels == alone.labels && alone.labels.count > 1_000)
        #expect(result.work == alone.work && !alone.work.isEmpty)
    }
}
