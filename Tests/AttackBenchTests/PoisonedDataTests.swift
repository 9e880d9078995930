import Foundation
import PackedDataset
import Support
import Testing

@testable import AttackBench

@Suite struct PoisonedDataTests {
    static func withFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    static func packed(_ folder: URL, _ write: (PackedSink) throws -> Void) throws -> PackedDataset {
        let sink = PackedSink(directory: folder.path)
        try write(sink)
        try sink.finish()
        return try PackedDataset(directory: folder.path)
    }

    static let count = 60

    static func data(_ attack: Attack?, rate: Double) throws -> PoisonedData {
        try PoisonedData(
            attack: attack, rate: rate, training: .procedural(count, seed: 1),
            test: .procedural(40, first: count, seed: 1), seed: 1)
    }

    @Test(arguments: Attack.names)
    func writtenSetsAreWhatThePlanSays(name: String) throws {
        let attack = try #require(Attack.named(name, target: 3, classes: 10, seed: 1))
        let data = try Self.data(attack, rate: 0.05)
        try Self.withFolder { folder in
            let set = try Self.packed(folder.appending(path: "train")) { try data.writeTraining(to: $0) }
            #expect(set.labels.map(Int.init) == data.plan.givenLabels)
            let known = data.truth
            for index in 0..<Self.count {
                let truth = try #require(known[SampleTruth.name(ofEntry: set.name(of: index))])
                #expect(truth == SampleTruth(label: index % 10, role: data.plan.role(of: index)))
                let isUntouched = set.withImage(at: index) { Array($0) } == data.training.image(index).pixels
                #expect(isUntouched == (truth.role == .clean))
            }
        }
    }

    @Test func triggeredImagesKeepTheirClassesAndLeaveTheTargetOut() throws {
        let data = try Self.data(.taCT(source: 4, target: 3, classes: 10), rate: 0.05)
        try Self.withFolder { folder in
            let clean = PackedSink(directory: folder.appending(path: "clean").path)
            let triggered = PackedSink(directory: folder.appending(path: "triggered").path)
            try data.writeTests(clean: clean, triggered: triggered)
            try clean.finish()
            try triggered.finish()
            #expect(try PackedDataset(directory: folder.appending(path: "clean").path).count == 40)
            let set = try PackedDataset(directory: folder.appending(path: "triggered").path)
            #expect(set.classes == [data.test.classes[4]] && set.count == 4)
        }
    }

    @Test func perturbedImagesTakeTheCleanOnesPlace() throws {
        let attack = Attack.labelConsistent(target: 3)
        let data = try Self.data(attack, rate: 0.05)
        let grey = ByteImage(height: 32, width: 32, channels: 3, pixels: .init(repeating: 100, count: 3_072))
        try Self.withFolder { folder in
            let set = try Self.packed(folder.appending(path: "train")) {
                try data.writeTraining(to: $0, perturbed: { _ in grey })
            }
            for index in 0..<Self.count {
                let expected =
                    data.plan.role(of: index) == .poisoned
                    ? attack.training(grey) : data.training.image(index)
                #expect(set.withImage(at: index) { Array($0) } == expected.pixels)
            }
        }
    }

    @Test func withoutAnAttackNothingChanges() throws {
        let data = try Self.data(nil, rate: 0.1)
        #expect(data.truth.values.allSatisfy { $0.role == .clean })
        #expect(data.plan.givenLabels == data.training.labels)
    }

    @Test func chosenImagesAreARepeatablePart() {
        let labels = (0..<100).map { $0 % 7 }
        let all = CleanImages(classes: (0..<7).map(String.init), labels: labels) { index in
            ByteImage(height: 1, width: 1, channels: 1, pixels: [UInt8(index)])
        }
        func places(_ seed: UInt64) -> [Int] {
            let part = all.chosen(30, seed: seed)
            let places = (0..<part.count).map { Int(part.image($0).pixels[0]) }
            #expect(part.labels == places.map { labels[$0] })
            return places
        }
        #expect(places(5).count == 30 && places(5) == Set(places(5)).sorted())
        #expect(places(5) == places(5))
        #expect(places(5) != places(6))
        #expect(all.chosen(1_000, seed: 5).count == 100)
    }
}
