import Execution
import Findings
import Tensors
import Testing
import TinyModels

@testable import Burn

/// A trigger that sends every class to the next, of which one class is known.
@Suite struct SharedTriggerTests {
    @Test func whatIsKnownOfOneClassLeadsToTheOthers() throws {
        let classes = 4
        let folder = try ScratchFolder()
        var drawn = TinyImages.textures(1200, side: 16, seed: 31)
        var planted: Set<Int> = []
        for sample in drawn.labels.indices where sample % 7 == 0 {
            drawn.stamp(sample)
            drawn.labels[sample] = (drawn.labels[sample] + 1) % classes
            planted.insert(sample)
        }
        let model = try TinyGraph.convolutional(side: 16, classes: classes, seed: 32)
        let images = try LabelledImages(
            drawn.packed(in: folder.file("set")), for: model.graph, options: JobOptions())
        try SupervisedTraining(images: images, epochs: 25, learningRate: 0.05, seed: 33).run(model)
        let first = try Surveyed(model, images, in: folder)
        let table = first.table
        let search = TriggerSearch(
            model: model, images: images, labelled: LabelledSamples(of: images), table: table,
            store: first.store, judge: .standard, seed: 2, token: first.token)
        func own(_ label: Int) -> [Int] {
            images.labels.indices.filter {
                images.labels[$0] == label && Int(table.predicted[$0]) == label
            }
        }
        var findings = (0..<classes).map { ClassFinding(label: $0, judge: .standard) }
        try search.examine(&findings[1], suspects: own(1).filter(planted.contains))
        try #require(findings[1].isCause && findings[1].isSourceSpecific)
        // Of a class that is judged clean, nothing follows.
        var unjudged = findings
        try search.examineShared(&unjudged)
        #expect(unjudged.allSatisfy { $0.judgement == .clean })
        findings[1].conclude(.backdoored, from: .perturbations)
        try search.examineShared(&findings)
        var found = 0
        for label in [0, 2, 3] {
            guard case .shared(let other)? = findings[label].conclusion?.ground else {
                #expect(findings[label].judgement == .clean)
                continue
            }
            found += 1
            #expect(other == 1)
            #expect(findings[label].effect?.topSource == (label + 3) % classes)
            let named = Set(findings[label].images?.members ?? [])
            let truth = planted.intersection(own(label))
            #expect(Double(named.intersection(truth).count) >= 0.9 * Double(truth.count))
            #expect(Double(named.intersection(truth).count) >= 0.9 * Double(named.count))
            #expect(findings[label].decisivePValue == Parameters().naturalCause)
        }
        #expect(found >= 2, "a source that the trigger moves by less than half is left out")
    }
}
