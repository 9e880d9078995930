import Testing

@testable import Findings

@Suite struct ClassOrderTests {
    private func order(
        _ names: [String], outputs: Int, labels: [Int]? = nil, mapping: [String: Int]? = nil,
        modelNames: [String]? = nil
    ) throws -> ClassOrder {
        let classes = names.enumerated().map { place, name in
            DatasetSummary.ClassCount(name: name, samples: 1, label: labels?[place])
        }
        return try ClassOrder(of: classes, outputs: outputs, mapping: mapping, modelNames: modelNames)
    }

    @Test func sortedNamesAreTheirPlaces() throws {
        let found = try order(["bird", "cat", "dog"], outputs: 4)
        #expect(found.outputs == [0, 1, 2] && found.source == .sorted)
        #expect(found.names == ["bird", "cat", "dog", "3"] && !found.isGuessedSubset)
        #expect(try order(["bird", "cat"], outputs: 40).isGuessedSubset)
        // All outputs have a class: numbers say no more than their order does.
        #expect(try order(["0", "1", "10", "2"], outputs: 4).source == .sorted)
    }

    @Test func numbersAreOutputsWhereSomeAreMissing() throws {
        let found = try order(["00", "01", "03"], outputs: 4)
        #expect(found.outputs == [0, 1, 3] && found.source == .numbers)
        #expect(found.names == ["00", "01", "2", "03"])
        #expect(try order(["7", "9"], outputs: 1_000).outputs == [7, 9])
        #expect(try order(["tench", "church"], outputs: 3, labels: [2, 0]).outputs == [2, 0])
        #expect(throws: ClassOrder.Fault.self) { try order(["a", "b"], outputs: 3, labels: [0, 3]) }
    }

    private static let imagenet = [
        "tench, Tinca tinca", "goldfish", "crane", "French horn", "crane", "gas pump",
    ]

    @Test func namesOfTheModelAreFound() throws {
        let found = try order(["French_horn", "gas-pump", "tench"], outputs: 6, modelNames: Self.imagenet)
        #expect(found.outputs == [3, 5, 0] && found.source == .modelNames)
        #expect(found.names == ["tench", "goldfish", "crane", "French_horn", "crane", "gas-pump"])
        // The set numbers its ten classes from 0: the names know better.
        let numbered = try order(
            ["goldfish", "gas pump"], outputs: 6, labels: [0, 1], modelNames: Self.imagenet)
        #expect(numbered.outputs == [1, 5])
        // Names in another number than outputs name nothing.
        #expect(try order(["goldfish", "x"], outputs: 2, modelNames: Self.imagenet).source == .sorted)
    }

    @Test func whatMatchesInPartIsRefusedWithWhatMatched() throws {
        let fault = try #require(
            #expect(throws: ClassOrder.Fault.self) {
                try order(["goldfish", "parachute"], outputs: 6, modelNames: Self.imagenet)
            })
        #expect(fault.detail.contains("goldfish = 1") && fault.detail.contains("parachute"))
        #expect(throws: ClassOrder.Fault.self) {
            try order(["crane", "goldfish"], outputs: 6, modelNames: Self.imagenet)
        }
        // None is known, as with names like LABEL_0: the sorted order is as good as without them.
        let labels = (0..<6).map { "LABEL_\($0)" }
        #expect(try order(["a", "b"], outputs: 6, modelNames: labels).source == .sorted)
        // All outputs have a class, and those that are known are in their places.
        #expect(
            try order(["aeroplane", "bird", "cat"], outputs: 3, modelNames: ["airplane", "bird", "cat"])
                .outputs
                == [0, 1, 2])
    }

    /// Imagenette's folders, and its names, of a model that carries none.
    @Test func imageNetsClassesAreKnown() throws {
        let folders = [
            "n01440764", "n02102040", "n02979186", "n03000684", "n03028079", "n03394916", "n03417042",
            "n03425413",
            "n03445777", "n03888257",
        ]
        let truth = [0, 217, 482, 491, 497, 566, 569, 571, 574, 701]
        let found = try order(folders, outputs: 1_000)
        #expect(found.outputs == truth && found.source == .imageNet && found.names[1] == "goldfish")
        let names = [
            "tench", "English_springer", "cassette player", "chain saw", "church", "French horn",
            "garbage_truck",
            "gas pump", "golf ball", "parachute",
        ]
        #expect(try order(names, outputs: 1_000).outputs == truth)
        #expect(try order(folders, outputs: 10).source == .sorted)
        #expect(ImageNetClasses.lines.count == 1_000 && Set(ImageNetClasses.lines).count == 1_000)
    }

    @Test func aMappingMayNameMoreThanTheSetHas() throws {
        let mapping = ["tench, Tinca tinca": 0, "goldfish": 1, "great white shark": 2]
        let found = try order(["Great_White_Shark", "tench"], outputs: 4, mapping: mapping)
        #expect(found.outputs == [2, 0] && found.source == .given)
        #expect(found.names == ["tench", "goldfish", "Great_White_Shark", "3"])
    }

    @Test(arguments: [
        ["a": 0], ["a": 0, "b": 4], ["a": 0, "b": -1], ["a": 1, "b": 1], [:], ["A": 0, "a ": 1, "b": 2],
    ])
    func aWrongMappingIsRefused(mapping: [String: Int]) {
        let folders = mapping["A"] == nil ? ["a", "b"] : ["_a", "b"]
        let fault = #expect(throws: ClassOrder.Fault.self) {
            try order(folders, outputs: 4, mapping: mapping)
        }
        #expect(fault?.isOfMapping == true && fault?.className != nil)
    }

    @Test func moreClassesThanOutputsAreRefused() {
        #expect(throws: ClassOrder.Fault.self) { try order(["a", "b", "c"], outputs: 2) }
    }
}
