//! What data is: the leaves of the taxonomy, the form they are in, why a body could not be read.

macro_rules! closed {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $id:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value, in the order of its definition.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The stable id, as it stands in policies, metrics and the ledger.
            pub const fn id(self) -> &'static str {
                match self { $($name::$variant => $id,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($id => Ok($name::$variant),)*
                    _ => Err(format!(concat!("`{}` is no ", $what), text.chars().take(60).collect::<String>())),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.id()) }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.id()) }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> { serializer.serialize_str(self.id()) }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use closed;

closed! {
    /// A leaf of the taxonomy of personal data; groups, flags and mappings stand in `policies/taxonomy.yaml`.
    Category, "category" {
        PersonName = "person_name",
        ProfileDisplay = "profile_display",
        Gender = "gender",
        BirthDateAge = "birth_date_age",
        RegionLanguageTimezone = "region_language_timezone",
        FamilyRelationship = "family_relationship",
        EmailAddress = "email_address",
        PhoneNumber = "phone_number",
        PostalAddress = "postal_address",
        NationalIdNumber = "national_id_number",
        PassportPermitNumber = "passport_permit_number",
        IdDocumentImage = "id_document_image",
        VehicleLicenceNumber = "vehicle_licence_number",
        OrganisationIdentity = "organisation_identity",
        FaceBiometric = "face_biometric",
        VoiceFingerprintOtherBiometric = "voice_fingerprint_other_biometric",
        GeneticOmic = "genetic_omic",
        AccountId = "account_id",
        SocialAccount = "social_account",
        CredentialSecret = "credential_secret",
        HardwareId = "hardware_id",
        MacAddress = "mac_address",
        AdvertisingId = "advertising_id",
        SoftwareDeviceId = "software_device_id",
        IotDeviceId = "iot_device_id",
        DeviceProfile = "device_profile",
        InstalledApps = "installed_apps",
        SensorData = "sensor_data",
        IpAddress = "ip_address",
        CookieId = "cookie_id",
        NetworkEnvironment = "network_environment",
        UsageLog = "usage_log",
        BrowsingSearchHistory = "browsing_search_history",
        CrashDiagnostic = "crash_diagnostic",
        CoarseLocation = "coarse_location",
        PreciseLocation = "precise_location",
        LocationTrajectory = "location_trajectory",
        BankAccountNumber = "bank_account_number",
        PaymentCard = "payment_card",
        TransactionOrder = "transaction_order",
        CreditIncome = "credit_income",
        HealthRecord = "health_record",
        WellnessMetric = "wellness_metric",
        ContactsList = "contacts_list",
        MessageContent = "message_content",
        CallMessageMetadata = "call_message_metadata",
        AudioRecording = "audio_recording",
        PhotoVideo = "photo_video",
        BeliefPoliticsUnion = "belief_politics_union",
        EthnicOrigin = "ethnic_origin",
        SexualLifeOrientation = "sexual_life_orientation",
        CriminalRecord = "criminal_record",
        SpecialIdentityStatus = "special_identity_status",
        EmploymentEducation = "employment_education",
        UserProfileTag = "user_profile_tag",
    }
}

closed! {
    /// How much of the person is left in the data. Only `anonymised`, with evidence on record, leaves the privacy regimes.
    Form, "form" {
        Clear = "clear",
        Pseudonymised = "pseudonymised",
        Deidentified = "deidentified",
        Anonymised = "anonymised",
    }
}

closed! {
    /// The cut-offs the regimes use: 13 (US), 14 (CN), 16 (EU), 18 (IN and several policies).
    AgeBand, "age band" {
        Under13 = "under_13",
        Thirteen = "13",
        From14To15 = "14_15",
        From16To17 = "16_17",
        Adult = "adult",
        Unknown = "unknown",
    }
}

#[allow(clippy::derivable_impls, reason = "the macro that writes the enum marks no default")]
impl Default for AgeBand {
    fn default() -> Self {
        AgeBand::Unknown
    }
}

closed! {
    /// Why a body or a part of one could not be read. A fact the decision looks at, never an early exit.
    OpaqueReason, "reason for being opaque" {
        /// The message's framing leaves two readings.
        Framing = "framing",
        /// A JSON object names a member twice.
        DuplicateName = "duplicate_name",
        /// Not UTF-8 where UTF-8 is required.
        Utf8 = "utf8",
        /// Breaks the grammar of its declared type.
        Syntax = "syntax",
        /// Nested deeper than the limit.
        Depth = "depth",
        /// More members, fields or records than the limit.
        Members = "members",
        /// Decodes to more than the limit or at a suspicious ratio.
        Ratio = "ratio",
        /// Longer than the inspection limit.
        Size = "size",
        /// No reader for this media type.
        Type = "type",
        /// No decoder for this content coding.
        Encoding = "encoding",
        /// No decoder for this charset.
        Charset = "charset",
        /// Encrypted.
        Encrypted = "encrypted",
        /// A detector failed or ran out of time.
        Detector = "detector",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_taxonomy_has_55_leaves_with_ids_that_parse_back() {
        assert_eq!(Category::ALL.len(), 55);
        for category in Category::ALL {
            assert_eq!(category.id().parse(), Ok(*category));
        }
        assert_eq!(OpaqueReason::ALL.len(), 13);
    }
}
