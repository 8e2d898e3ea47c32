// Made by `npm run generate:types` (supabase gen types) from supabase/migrations. A test fails when it is behind.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  podbase: {
    Tables: {
      artifacts: {
        Row: {
          bytes: number;
          content_type: string;
          created_at: string;
          id: string;
          job_id: string;
          name: string;
          path: string;
          sha256: string | null;
          task: string;
          task_id: string;
          user_id: string;
        };
        ComputedFields: never;
        Insert: {
          bytes: number;
          content_type: string;
          created_at?: string;
          id?: string;
          job_id: string;
          name: string;
          path: string;
          sha256?: string | null;
          task: string;
          task_id: string;
          user_id: string;
        };
        Update: {
          bytes?: number;
          content_type?: string;
          created_at?: string;
          id?: string;
          job_id?: string;
          name?: string;
          path?: string;
          sha256?: string | null;
          task?: string;
          task_id?: string;
          user_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: "artifacts_job_id_fkey";
            columns: ["job_id"];
            isOneToOne: false;
            referencedRelation: "jobs";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "artifacts_task_id_fkey";
            columns: ["task_id"];
            isOneToOne: false;
            referencedRelation: "tasks";
            referencedColumns: ["id"];
          },
        ];
      };
      jobs: {
        Row: {
          created_at: string;
          error: Json | null;
          finished_at: string | null;
          id: string;
          idempotency_key: string | null;
          input: NonNullable<Json>;
          kind: string;
          notice: Json | null;
          phase: Database["podbase"]["Enums"]["phase"];
          progress: number | null;
          seen_at: string | null;
          started_at: string | null;
          status: Database["podbase"]["Enums"]["job_status"];
          task_count: number;
          trimmed_at: string | null;
          updated_at: string;
          user_id: string;
          version: number;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          error?: Json | null;
          finished_at?: string | null;
          id?: string;
          idempotency_key?: string | null;
          input: NonNullable<Json>;
          kind: string;
          notice?: Json | null;
          phase?: Database["podbase"]["Enums"]["phase"];
          progress?: number | null;
          seen_at?: string | null;
          started_at?: string | null;
          status?: Database["podbase"]["Enums"]["job_status"];
          task_count?: number;
          trimmed_at?: string | null;
          updated_at?: string;
          user_id: string;
          version?: number;
        };
        Update: {
          created_at?: string;
          error?: Json | null;
          finished_at?: string | null;
          id?: string;
          idempotency_key?: string | null;
          input?: NonNullable<Json>;
          kind?: string;
          notice?: Json | null;
          phase?: Database["podbase"]["Enums"]["phase"];
          progress?: number | null;
          seen_at?: string | null;
          started_at?: string | null;
          status?: Database["podbase"]["Enums"]["job_status"];
          task_count?: number;
          trimmed_at?: string | null;
          updated_at?: string;
          user_id?: string;
          version?: number;
        };
        Relationships: [];
      };
      tasks: {
        Row: {
          created_at: string;
          error: Json | null;
          finished_at: string | null;
          id: string;
          job_id: string;
          name: string;
          notice: Json | null;
          output: Json | null;
          phase: Database["podbase"]["Enums"]["phase"];
          progress: number | null;
          started_at: string | null;
          status: Database["podbase"]["Enums"]["task_status"];
          updated_at: string;
          user_id: string;
          version: number;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          error?: Json | null;
          finished_at?: string | null;
          id?: string;
          job_id: string;
          name: string;
          notice?: Json | null;
          output?: Json | null;
          phase?: Database["podbase"]["Enums"]["phase"];
          progress?: number | null;
          started_at?: string | null;
          status: Database["podbase"]["Enums"]["task_status"];
          updated_at?: string;
          user_id: string;
          version?: number;
        };
        Update: {
          created_at?: string;
          error?: Json | null;
          finished_at?: string | null;
          id?: string;
          job_id?: string;
          name?: string;
          notice?: Json | null;
          output?: Json | null;
          phase?: Database["podbase"]["Enums"]["phase"];
          progress?: number | null;
          started_at?: string | null;
          status?: Database["podbase"]["Enums"]["task_status"];
          updated_at?: string;
          user_id?: string;
          version?: number;
        };
        Relationships: [
          {
            foreignKeyName: "tasks_job_id_fkey";
            columns: ["job_id"];
            isOneToOne: false;
            referencedRelation: "jobs";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      cancel_job: { Args: { job_id: string }; Returns: Json };
      cancel_task: { Args: { task_id: string }; Returns: Json };
      claim_cancels: { Args: { max_cancels?: number }; Returns: Json };
      claim_file_deletes: { Args: { max_files?: number }; Returns: Json };
      claim_health: { Args: { max_endpoints?: number }; Returns: Json };
      claim_polls: { Args: { max_polls?: number }; Returns: Json };
      claim_tasks: { Args: { max_tasks?: number }; Returns: Json };
      configure: { Args: { config: Json }; Returns: undefined };
      estimate: { Args: { job_id: string }; Returns: Json };
      explain_job: { Args: { job_id: string }; Returns: Json };
      find_jobs: {
        Args: {
          ids?: string[];
          max_jobs?: number;
          statuses?: Database["podbase"]["Enums"]["job_status"][];
          unseen?: boolean;
        };
        Returns: Json;
      };
      mark_seen: { Args: { job_id: string }; Returns: Json };
      my_jobs: { Args: { max_jobs?: number }; Returns: Json };
      operator_cancel_job: { Args: { job_id: string }; Returns: Json };
      operator_cancel_task: { Args: { task_id: string }; Returns: Json };
      operator_explain_job: { Args: { job_id: string }; Returns: Json };
      operator_find_jobs: {
        Args: { ids?: string[]; max_jobs?: number; statuses?: Database["podbase"]["Enums"]["job_status"][] };
        Returns: Json;
      };
      operator_retry_job: { Args: { job_id: string }; Returns: Json };
      operator_retry_task: { Args: { task_id: string }; Returns: Json };
      queue_position: { Args: { job_id: string }; Returns: Json };
      record_cancels: { Args: { attempts: string[] }; Returns: number };
      record_file_deletes: { Args: { files: number[] }; Returns: number };
      record_health: { Args: { snapshots: Json }; Returns: number };
      record_hint: { Args: { report: Json }; Returns: Json };
      record_pass: { Args: { pass: Json }; Returns: undefined };
      record_report: { Args: { report: Json }; Returns: Json };
      record_reports: { Args: { reports: Json }; Returns: Json };
      record_submissions: { Args: { results: Json }; Returns: number };
      retry_job: { Args: { job_id: string }; Returns: Json };
      retry_task: { Args: { task_id: string }; Returns: Json };
      submit_job: { Args: { request: Json }; Returns: Json };
      submit_jobs: { Args: { requests: Json }; Returns: Json };
    };
    Enums: {
      job_status: "queued" | "processing" | "completed" | "failed" | "canceled";
      phase:
        | "queued"
        | "submitting"
        | "confirming"
        | "waiting_for_worker"
        | "running"
        | "retrying"
        | "canceling"
        | "done";
      task_status: "blocked" | "queued" | "processing" | "completed" | "failed" | "canceled";
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "podbase">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R;
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R;
      }
      ? R
      : never
    : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I;
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I;
      }
      ? I
      : never
    : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U;
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U;
      }
      ? U
      : never
    : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never;

export const Constants = {
  podbase: {
    Enums: {
      job_status: ["queued", "processing", "completed", "failed", "canceled"],
      phase: [
        "queued",
        "submitting",
        "confirming",
        "waiting_for_worker",
        "running",
        "retrying",
        "canceling",
        "done",
      ],
      task_status: ["blocked", "queued", "processing", "completed", "failed", "canceled"],
    },
  },
} as const;
