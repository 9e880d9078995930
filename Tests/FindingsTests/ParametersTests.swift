import Findings
import Foundation
import Support
import Testing

@Suite struct ParametersTests {
    @Test func everySettingHasItsNameReasonAndRange() {
        let settings = Parameters.settings
        #expect(Set(settings.map(\.name)).count == settings.count)
        #expect(settings.count < 25, "what decides a verdict is countable")
        for setting in settings {
            #expect(setting.allowed.contains(setting.standard), "\(setting.name)")
            #expect(!setting.meaning.isEmpty && !setting.reason.isEmpty, "\(setting.name)")
        }
        // None is left out: the value holds nothing but numbers that a setting names.
        #expect(Mirror(reflecting: Parameters()).children.count == settings.count)
    }

    @Test func changedSettingsAreTakenOverAndCodedByName() throws {
        let parameters = try Parameters(
            ["working_effect": 0.3, "error_budget": 0.01], location: "--parameter")
        #expect(parameters.workingEffect == 0.3)
        #expect(parameters.changed == ["working_effect": 0.3], "the default is no change")
        let coded = try JSONEncoder().encode(parameters)
        #expect(String(decoding: coded, as: UTF8.self) == #"{"working_effect":0.3}"#)
        #expect(try JSONDecoder().decode(Parameters.self, from: coded) == parameters)
        #expect(try JSONDecoder().decode(Parameters.self, from: Data("{}".utf8)) == Parameters())
    }

    @Test func whatIsNoSettingIsRefused() {
        for (changed, code, words) in [
            (["workingEffect": 0.3], "parameter-unknown", "“workingEffect”"),
            (["working_effect": 1.5], "parameter-out-of-range", "working_effect is 1.5"),
            (["working_effect": .nan], "parameter-out-of-range", "nan"),
        ] {
            let problem = #expect(throws: Problem.self) { try Parameters(changed, location: "--parameter") }
            #expect(problem?.code == code && problem?.location == "--parameter")
            #expect(problem?.detail.contains(words) == true && problem?.fix?.isEmpty == false)
        }
    }

    /// The API's description names the same settings, with the same ranges and defaults.
    @Test func theDescriptionOfTheAPIAgrees() throws {
        struct Description: Decodable {
            struct Schema: Decodable {
                var properties: [String: Property]?
            }
            struct Property: Decodable {
                var minimum, maximum, `default`: Double?
                var properties: [String: Property]?

                enum CodingKeys: String, CodingKey { case minimum, maximum, `default`, properties }

                init(from decoder: any Decoder) throws {
                    let container = try decoder.container(keyedBy: CodingKeys.self)
                    // Other fields have defaults of other types.
                    minimum = try? container.decode(Double.self, forKey: .minimum)
                    maximum = try? container.decode(Double.self, forKey: .maximum)
                    `default` = try? container.decode(Double.self, forKey: .default)
                    properties = try? container.decode([String: Property].self, forKey: .properties)
                }
            }
            struct Components: Decodable { var schemas: [String: Schema] }
            var components: Components
        }
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/WebAssets/openapi.json")
        let description = try JSONDecoder().decode(Description.self, from: Data(contentsOf: file))
        let properties = try #require(
            description.components.schemas["JobOptions"]?.properties?["parameters"]?.properties)
        #expect(Set(properties.keys) == Set(Parameters.settings.map(\.name)))
        for setting in Parameters.settings {
            let property = try #require(properties[setting.name])
            #expect(property.minimum == setting.allowed.lowerBound, "\(setting.name)")
            #expect(property.maximum == setting.allowed.upperBound, "\(setting.name)")
            #expect(abs((property.default ?? 0) - setting.standard) < 1e-5, "\(setting.name)")
        }
    }
}
