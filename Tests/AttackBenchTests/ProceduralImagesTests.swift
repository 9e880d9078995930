import AttackBench
import Testing

@Suite struct ProceduralImagesTests {
    static let bytes = ProceduralImages.height * ProceduralImages.width * ProceduralImages.channels

    @Test func classesAreSortedAndDistinct() {
        #expect(ProceduralImages.classes == ProceduralImages.classes.sorted())
        #expect(Set(ProceduralImages.classes).count == 10)
    }

    @Test func imagesArePureFunctionsOfTheirArguments() {
        for label in ProceduralImages.classes.indices {
            let image = ProceduralImages.image(label: label, index: 4, seed: 2)
            #expect(image.count == Self.bytes)
            #expect(image == ProceduralImages.image(label: label, index: 4, seed: 2))
            #expect(image != ProceduralImages.image(label: label, index: 5, seed: 2))
            #expect(image != ProceduralImages.image(label: label, index: 4, seed: 3))
        }
    }

    /// The bytes of a few images, so that a set drawn by one version is a set drawn by the next.
    @Test func drawingStaysWhatItIs() {
        let sum = (0..<20).reduce(UInt64(14_695_981_039_346_656_037)) { hash, index in
            ProceduralImages.image(label: index % 10, index: index, seed: 1).reduce(hash) {
                ($0 ^ UInt64($1)) &* 1_099_511_628_211
            }
        }
        #expect(sum == 5_558_714_583_601_276_273)
    }

    /// Neither the mean colour nor any single pixel gives the class away: guessing by the nearest class mean
    /// image stays far below what a network reaches.
    @Test func classesAreNotTrivial() {
        let perClass = 30
        var means = [[Double]](repeating: .init(repeating: 0, count: Self.bytes), count: 10)
        for label in 0..<10 {
            for index in 0..<perClass {
                for (offset, byte) in ProceduralImages.image(label: label, index: index, seed: 1).enumerated()
                {
                    means[label][offset] += Double(byte) / Double(perClass)
                }
            }
        }
        var right = 0
        for label in 0..<10 {
            for index in perClass..<perClass + 10 {
                let image = ProceduralImages.image(label: label, index: index, seed: 1)
                let distances = means.map { mean in
                    zip(mean, image).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
                }
                if distances.indices.min(by: { distances[$0] < distances[$1] }) == label { right += 1 }
            }
        }
        #expect(right < 50)
    }
}
