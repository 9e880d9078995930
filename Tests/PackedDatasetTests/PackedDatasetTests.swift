import Findings
import Foundation
import PackedDataset
import Support
import Testing

/// A folder that is removed with the object.
final class TemporaryFolder {
    let path = NSTemporaryDirectory() + "burn-" + UUID().uuidString

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

struct Sample: Hashable {
    var pixels: [UInt8]
    var className: String
    var name: String
}

func write(_ samples: [Sample], to directory: String, height: Int, width: Int, channels: Int) throws
    -> DatasetSummary
{
    let writer = try PackedDatasetWriter(
        directory: directory, height: height, width: width, channels: channels)
    for sample in samples {
        try sample.pixels.withUnsafeBytes {
            try writer.append($0, className: sample.className, name: sample.name)
        }
    }
    return try writer.finish(format: "test")
}

/// The problem that `body` throws; nil when it throws nothing, or something else.
func problem<Value>(in body: () throws -> Value) -> Problem? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? Problem
    }
}

@Suite struct PackedDatasetTests {
    let folder = TemporaryFolder()

    /// Whatever is written comes back: any shape, any names, class names in any order.
    @Test(arguments: 0..<30)
    func roundTrip(seed: UInt64) throws {
        var random = Generator(state: seed)
        let height = Int.random(in: 1...9, using: &random)
        let width = Int.random(in: 1...9, using: &random)
        let channels = Bool.random(using: &random) ? 1 : 3
        let classNames = ["zoë", "Ant", "ant", "9", "10", "猫", "b b", "é"].shuffled(using: &random)
        let samples = (0..<Int.random(in: 1...200, using: &random)).map { index in
            Sample(
                pixels: (0..<height * width * channels).map { _ in .random(in: 0...255, using: &random) },
                className: classNames[Int.random(in: 0..<classNames.count, using: &random)],
                name: index == 0 ? "" : String(repeating: "ü/", count: index % 40) + String(index))
        }
        let summary = try write(samples, to: folder.path, height: height, width: width, channels: channels)
        let set = try PackedDataset(directory: folder.path)
        #expect(set.summary == summary)
        #expect(set.count == samples.count)
        #expect((set.height, set.width, set.channels) == (height, width, channels))
        #expect(set.images.count == summary.packedBytes)
        #expect(set.classes == set.classes.sortedByCodePoint())
        for (index, sample) in samples.enumerated() {
            #expect(set.withImage(at: index) { Array($0) } == sample.pixels)
            #expect(set.classes[set.label(of: index)] == sample.className)
            #expect(set.labels[index] == Int32(set.label(of: index)))
            #expect(set.name(of: index) == sample.name)
        }
        for entry in summary.classes {
            #expect(samples.count { $0.className == entry.name } == entry.samples)
        }
        for pattern in [PackedDataset.AccessPattern.sequential, .random, .soonNeeded, .notNeeded] {
            set.advise(pattern)
            set.advise(pattern, samples: 0..<1)
        }
        #expect(set.withImage(at: 0) { Array($0) } == samples[0].pixels)
    }

    /// As Python sorts: upper case before lower case, by code point and not by locale.
    @Test func classesAreInOrderOfCodePoints() {
        #expect(["b", "ä", "B", "10", "9", "a"].sortedByCodePoint() == ["10", "9", "B", "a", "b", "ä"])
    }

    @Test func duplicateNamesAreRefused() throws {
        let samples = ["a", "b", "a"].map { Sample(pixels: [1], className: "c", name: $0) }
        let problem = problem { try write(samples, to: folder.path, height: 1, width: 1, channels: 1) }
        #expect(problem?.code == "duplicate-entry")
        #expect(problem?.location == "a")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func anUnfinishedSetIsNone() throws {
        let writer = try PackedDatasetWriter(directory: folder.path, height: 1, width: 1, channels: 1)
        try [7].withUnsafeBytes { bytes in
            try writer.append(.init(rebasing: bytes[..<1]), className: "c", name: "a")
        }
        #expect(problem { try PackedDataset(directory: folder.path) }?.code == "packed-dataset-missing")
    }

    @Test func aFinishedSetIsNeverOverwritten() throws {
        let sample = Sample(pixels: [1], className: "c", name: "a")
        _ = try write([sample], to: folder.path, height: 1, width: 1, channels: 1)
        let problem = problem { try write([sample], to: folder.path, height: 1, width: 1, channels: 1) }
        #expect(problem?.code == "packed-dataset-exists")
        #expect(try PackedDataset(directory: folder.path).name(of: 0) == "a")
    }

    @Test(arguments: [(0, 1, 1), (1, 0, 1), (1, 1, 2), (Int.max, 2, 3), (1 << 62, 1, 3)])
    func impossibleSizesAreRefused(height: Int, width: Int, channels: Int) {
        let problem = problem {
            try PackedDatasetWriter(directory: folder.path, height: height, width: width, channels: channels)
        }
        #expect(problem?.code == "image-size-impossible")
    }
}

@Suite struct DamagedSetTests {
    /// What is done to a good set of 3 samples (2 x 2 x 1) in 2 classes.
    enum Damage: CaseIterable {
        case imagesCut, imagesGrown, labelsCut, labelTooHigh, labelNegative, labelOfAnotherClass
        case offsetsCut, offsetBackwards, offsetPastEnd, firstOffset, namesCut, namesGrown
        case imagesMissing, imagesALink, manifestNoJSON, otherVersion
        case samplesTooMany, samplesNegative, sidesOverflow, classesUnsorted, classTwice, noClasses
    }

    @Test(arguments: Damage.allCases)
    func isRefused(damage: Damage) throws {
        let folder = TemporaryFolder()
        let samples = [("b", "x"), ("a", "y"), ("b", "z")].map {
            Sample(pixels: [1, 2, 3, 4], className: $0.0, name: $0.1)
        }
        _ = try write(samples, to: folder.path, height: 2, width: 2, channels: 1)
        try apply(damage, folder.path)
        let code = problem { try PackedDataset(directory: folder.path) }?.code
        #expect(code == (damage == .imagesALink ? "file-access-failed" : "packed-dataset-damaged"))
    }

    private func apply(_ damage: Damage, _ folder: String) throws {
        func change(_ file: String, _ edit: (inout [UInt8]) -> Void) throws {
            let url = URL(fileURLWithPath: folder + "/" + file)
            var bytes = Array(try Data(contentsOf: url))
            edit(&bytes)
            try Data(bytes).write(to: url)
        }
        func manifest(_ old: String, _ new: String) throws {
            try change("manifest.json") {
                let text = String(decoding: $0, as: UTF8.self)
                #expect(text.contains(old))
                $0 = Array(text.replacingOccurrences(of: old, with: new).utf8)
            }
        }
        switch damage {
        case .imagesCut: try change("images.u8") { $0.removeLast() }
        case .imagesGrown: try change("images.u8") { $0.append(0) }
        case .labelsCut: try change("labels.i32") { $0.removeLast(4) }
        case .labelTooHigh: try change("labels.i32") { $0[0] = 2 }
        case .labelNegative: try change("labels.i32") { $0[3] = 0x80 }
        case .labelOfAnotherClass: try change("labels.i32") { $0[0] = 0 }
        case .offsetsCut: try change("offsets.u64") { $0.removeLast(8) }
        case .offsetBackwards: try change("offsets.u64") { $0[16] = 0 }
        case .offsetPastEnd: try change("offsets.u64") { $0[15] = 0xff }
        case .firstOffset: try change("offsets.u64") { $0[0] = 1 }
        case .namesCut: try change("names.u8") { $0.removeLast() }
        case .namesGrown: try change("names.u8") { $0.append(65) }
        case .imagesMissing: try FileManager.default.removeItem(atPath: folder + "/images.u8")
        case .imagesALink:
            let path = folder + "/images.u8"
            try FileManager.default.moveItem(atPath: path, toPath: folder + "/elsewhere")
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "elsewhere")
        case .manifestNoJSON: try change("manifest.json") { $0.removeFirst() }
        case .otherVersion: try manifest("\"layout_version\" : 1", "\"layout_version\" : 2")
        case .samplesTooMany: try manifest("\"samples\" : 3,", "\"samples\" : 4000000000000000000,")
        case .samplesNegative: try manifest("\"samples\" : 3,", "\"samples\" : -3,")
        case .sidesOverflow:
            try manifest("\"height\" : 2", "\"height\" : 4611686018427387904")
        case .classesUnsorted: try manifest("\"name\" : \"a\"", "\"name\" : \"c\"")
        case .classTwice: try manifest("\"name\" : \"a\"", "\"name\" : \"b\"")
        case .noClasses:
            let url = URL(fileURLWithPath: folder + "/manifest.json")
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
            var edited = try #require(object)
            var summary = try #require(edited["summary"] as? [String: Any])
            summary["classes"] = []
            edited["summary"] = summary
            try JSONSerialization.data(withJSONObject: edited).write(to: url)
        }
    }
}

/// Knuth's MMIX generator, so that a test's cases are the same in every run.
struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
