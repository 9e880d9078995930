import Findings
import Foundation
import Testing

@Suite struct JobOptionsTests {
    @Test func absentOptionsTakeTheirDefaults() throws {
        let options = try JSONDecoder().decode(JobOptions.self, from: Data(#"{"seed": 7}"#.utf8))
        var expected = JobOptions()
        expected.seed = 7
        // Of before there was a choice.
        expected.analysis = nil
        expected.precision = nil
        #expect(options.analysesAllSamples && !JobOptions().analysesAllSamples)
        #expect(options == expected)
    }

    @Test func optionsSurviveARoundTrip() throws {
        let options = JobOptions(
            seed: 3, input: InputScaling(range: [-1, 1], mean: [0.5], std: [0.25]),
            classes: ["cat": 1, "dog_house": 0], method: .published, distance: .ddn, precision: .full,
            rounds: 5, force: true,
            threads: 2)
        let decoded = try JSONDecoder().decode(JobOptions.self, from: JSONEncoder().encode(options))
        #expect(decoded == options)
    }
}
